#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>

#include "cli/screen/format.h"
#include "cli/screen/in_flags.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "core/text.h"
#include "t2v/inspect.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

constexpr const char* kDescription = R"(t2v inspect: what is in a checkpoint, a LoRA or a clip.

Examples
  t2v inspect Wan2.1-T2V-1.3B-Diffusers
  t2v inspect wan2.1_t2v_14B_fp8_scaled.safetensors
  t2v inspect style_lora.safetensors --json
  t2v inspect clip.mp4

Usage
  t2v inspect PATH [flags]

)";

constexpr const char* kNotes = R"(
Only headers of files are read, so the size of a model does not matter. For a
clip or latents that t2v made, the recorded settings are shown; for numbered
pictures, give one of them or their pattern (clip-%04d.png).

Standard output with --json: an object with "kind": "checkpoint", "lora",
"clip" or "latents". A checkpoint has "family", "variant", "layout", "pipeline",
"scheduler", "absent" ([{"name", "advice"}]) and "components":
  {"name", "class", "format", "naming", "files", "tensors", "parameters",
   "bytes", "number_formats" (parameters of each), "missing", "unknown",
   "misshaped"}
A LoRA has "naming", "made_for", "modules", "tensors", "bytes", "ranks"
([smallest, largest]), "number_formats" and "unknown"; a clip and latents have
"settings".
)";

/// "5.68 B", "41.6 k": a number with the unit that leaves it between 1 and 1000.
std::string counted(int64_t count) {
  constexpr std::array<const char*, 5> kUnits = {"", " k", " M", " B", " T"};
  double value = static_cast<double>(count);
  size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return formatted(unit == 0 ? "%.0f" : value < 99.5 ? "%.3g" : "%.0f", value) + kUnits[unit];
}

/// "BF16", or "F32 12 %, F8_E4M3 88 %".
std::string shares(const std::map<std::string, int64_t>& counts) {
  if (counts.size() == 1) return counts.begin()->first;
  double total = 0;
  for (const auto& [name, count] : counts) total += static_cast<double>(count);
  std::string text;
  for (const auto& [name, count] : counts) {
    char percent[16];
    std::snprintf(percent, sizeof percent, " %.2g %%",
                  100 * static_cast<double>(count) / std::max(total, 1.0));
    text += (text.empty() ? "" : ", ") + name + percent;
  }
  return text;
}

/// "  2 missing: a, b\n"; "" for no names. The names come from files.
std::string listed(const char* what, const Names& names) {
  constexpr size_t kMostShown = 5;
  if (names.empty()) return "";
  std::string line = "  " + std::to_string(names.size()) + ' ' + what + ": ";
  for (size_t i = 0; i < std::min(names.size(), kMostShown); ++i) {
    line += (i > 0 ? ", " : "") + escape_for_display(names[i]);
  }
  if (names.size() > kMostShown) line += " and " + std::to_string(names.size() - kMostShown) + " more";
  return line + '\n';
}

std::string describe(const InspectedComponent& component) {
  std::string text = component.name + ": " + component.class_name + ", " + counted(component.parameters) +
                     " parameters in " + std::to_string(component.tensors) + " tensors, " +
                     shares(component.number_formats) + ", " + format_bytes(component.bytes) + ", " +
                     component.format + " in " + component.naming + " names";
  if (component.files.size() > 1) text += ", " + std::to_string(component.files.size()) + " files";
  return text + '\n' + listed("missing", component.missing) + listed("unknown", component.unknown) +
         listed("of another shape", component.misshaped);
}

std::string describe_checkpoint(const Inspection& inspection) {
  std::string text = inspection.family + (inspection.variant.empty() ? "" : " " + inspection.variant) + ", " +
                     inspection.layout;
  if (!inspection.pipeline.empty()) text += ", " + inspection.pipeline;
  if (!inspection.scheduler.empty()) text += ", " + inspection.scheduler;
  text += '\n';
  for (const InspectedComponent& component : inspection.components) text += describe(component);
  for (const AbsentComponent& absent : inspection.absent) {
    text += absent.name + ": absent; " + in_flags(absent.advice) + '\n';
  }
  return text;
}

std::string describe_lora(const InspectedLora& lora) {
  std::string ranks = std::to_string(lora.smallest_rank);
  if (lora.largest_rank > lora.smallest_rank) ranks += " to " + std::to_string(lora.largest_rank);
  return "LoRA for " + lora.made_for + ", " + lora.naming + " names\n" + std::to_string(lora.modules) +
         " modules in " + std::to_string(lora.tensors) + " tensors, " +
         (lora.largest_rank > 0 ? "rank " + ranks + ", " : "") + shares(lora.number_formats) + ", " +
         format_bytes(lora.bytes) + '\n' + listed("not understood", lora.unknown);
}

Json to_json(const InspectedComponent& component) {
  Json files = Json::array();
  for (const auto& file : component.files) files.push_back(file.string());
  return {{"name", component.name},
          {"class", component.class_name},
          {"format", component.format},
          {"naming", component.naming},
          {"files", files},
          {"tensors", component.tensors},
          {"parameters", component.parameters},
          {"bytes", component.bytes},
          {"number_formats", component.number_formats},
          {"missing", component.missing},
          {"unknown", component.unknown},
          {"misshaped", component.misshaped}};
}

Json checkpoint_json(const Inspection& inspection) {
  Json components = Json::array(), absent = Json::array();
  for (const InspectedComponent& component : inspection.components) components.push_back(to_json(component));
  for (const AbsentComponent& part : inspection.absent) {
    absent.push_back({{"name", part.name}, {"advice", in_flags(part.advice)}});
  }
  return {{"kind", "checkpoint"},
          {"family", inspection.family},
          {"variant", inspection.variant},
          {"layout", inspection.layout},
          {"pipeline", inspection.pipeline},
          {"scheduler", inspection.scheduler},
          {"components", components},
          {"absent", absent}};
}

Json lora_json(const InspectedLora& lora) {
  return {{"kind", "lora"},
          {"naming", lora.naming},
          {"made_for", lora.made_for},
          {"modules", lora.modules},
          {"tensors", lora.tensors},
          {"bytes", lora.bytes},
          {"ranks", {lora.smallest_rank, lora.largest_rank}},
          {"number_formats", lora.number_formats},
          {"unknown", lora.unknown}};
}

int run(const std::filesystem::path& path, bool json) {
  const Inspection inspection = inspect(path);
  switch (inspection.kind) {
    case Inspection::Kind::kCheckpoint:
      return json ? print_json(checkpoint_json(inspection)) : print(describe_checkpoint(inspection));
    case Inspection::Kind::kLora:
      return json ? print_json(lora_json(inspection.lora)) : print(describe_lora(inspection.lora));
    case Inspection::Kind::kClip:
    case Inspection::Kind::kLatents:
      break;
  }
  const Json settings = Json::parse(inspection.settings);
  const char* kind = inspection.kind == Inspection::Kind::kClip ? "clip" : "latents";
  return json ? print_json({{"kind", kind}, {"settings", settings}})
              : print(settings.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
}

}  // namespace

Command inspect_command() {
  const auto path = std::make_shared<std::filesystem::path>();
  return {.name = "inspect",
          .summary = "Shows what is in a checkpoint, a LoRA or a clip",
          .description = kDescription,
          .notes = kNotes,
          .operands = {path_flag({"PATH"}, "PATH", "A folder or a file", *path)},
          .run = [path](const Invocation& invocation, Progress& progress) {
            progress.note("t2v: reading " + escape_for_display(path->string()));
            return run(*path, invocation.json);
          }};
}

}  // namespace t2v
