#include <memory>

#include <nlohmann/json.hpp>

#include "cli/flags/usage_error.h"
#include "cli/screen/format.h"
#include "cli/screen/progress.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "core/text.h"
#include "t2v/convert.h"

namespace t2v {
namespace {

constexpr const char* kDescription =
    R"(t2v convert: writes a checkpoint in another layout or another number format.

Examples
  t2v convert wan2.1_14B-Q8_0.gguf -o transformer.safetensors --dtype bfloat16
  t2v convert Wan2.1-T2V-1.3B -o Wan2.1-T2V-1.3B-Diffusers
  t2v convert Wan2.1-T2V-1.3B-Diffusers -o comfy --layout comfy --dtype float16
  t2v convert Wan2.1-T2V-1.3B -o wan-fp8 --dtype fp8 --dry-run

Usage
  t2v convert IN -o OUT [flags]

)";

constexpr const char* kNotes = R"(
OUT is a folder, or a .safetensors file for a single component. It must not
exist, and it appears only when it is complete. Layout diffusers: one folder per
component, files of at most 5 GB, config.json and model_index.json. Layout
comfy: one file per component, with the tensor names of ComfyUI and the original
code.

Numbers whose format stays the same are copied bit by bit. Parameters that a
transformer always computes in float32 stay in float32, and so does a VAE that
is converted together with other components. The memory needed does not depend
on the size of the model.

Standard output: OUT, or with --json
  {"output": PATH, "files": [PATH...], "bytes": N}
--dry-run writes nothing, but makes every check. It prints each file, or with
--json
  {"output": PATH, "files": [{"path", "tensors", "bytes"}], "bytes": N,
   "disk_free_bytes": N}
)";

struct ConvertArguments {
  ConvertRequest request;
  bool dry_run = false;
};

int show(const ConvertPlan& plan, const ConvertRequest& request, bool json) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  std::string text;
  for (const auto& [path, tensors, bytes] : plan.files) {
    files.push_back({{"path", path.string()}, {"tensors", tensors}, {"bytes", bytes}});
    text += formatted("%10s  %14s  ", format_bytes(bytes).c_str(),
                      tensors > 0 ? (std::to_string(tensors) + " tensors").c_str() : "") +
            escape_for_display(path.string()) + '\n';
  }
  if (json) {
    return print_json({{"output", request.output.string()},
                       {"files", files},
                       {"bytes", plan.bytes},
                       {"disk_free_bytes", plan.disk_free}});
  }
  text += formatted("%10s  in all", format_bytes(plan.bytes).c_str());
  if (plan.disk_free > 0) text += "; " + format_bytes(plan.disk_free) + " are free";
  return print(text + '\n');
}

int run(const Invocation& invocation, const ConvertArguments& arguments, Progress& progress) {
  const ConvertRequest& request = arguments.request;
  if (request.output.empty()) {
    refuse("--output", "nothing", "where to write to");
  }
  if (arguments.dry_run) return show(plan_convert(request), request, invocation.json);
  const ConvertResult result = convert(request, make_run_control(progress));
  if (!invocation.json) return print(request.output.string() + '\n');
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const auto& file : result.files) files.push_back(file.string());
  return print_json({{"output", request.output.string()}, {"files", files}, {"bytes", result.bytes}});
}

}  // namespace

Command convert_command() {
  const auto arguments = std::make_shared<ConvertArguments>();
  return {.name = "convert",
          .summary = "Writes a checkpoint in another layout or number format",
          .description = kDescription,
          .notes = kNotes,
          .operands = {path_flag({"IN"}, "PATH", "A checkpoint or a part of one: folder or file",
                                 arguments->request.input)},
          .flags = {{"What to write",
                     {path_flag({"--output", "-o"}, "PATH", "A folder, or a .safetensors file",
                                arguments->request.output),
                      choice_flag({"--dtype"}, "The number format", kConvertedDtypes,
                                  arguments->request.dtype, "as stored; float32 for quantised numbers"),
                      choice_flag({"--layout"}, "How files and tensors are named", kLayouts,
                                  arguments->request.layout, arguments->request.layout),
                      switch_flag({"--dry-run"}, "Print what would be written; write nothing",
                                  arguments->dry_run, true)}}},
          .stopped = "nothing was written",
          .run = [arguments](const Invocation& invocation, Progress& progress) {
            return run(invocation, *arguments, progress);
          }};
}

}  // namespace t2v
