#include "t2v/inspect.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/engine_library.h"
#include "api/locate_model.h"
#include "core/config.h"
#include "families/registry.h"
#include "files/checkpoints/checkpoint.h"
#include "files/checkpoints/lora.h"
#include "media/formats/output_format.h"
#include "t2v/error.h"
#include "t2v/hub.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDiffusersFolder = "diffusers folder";

int64_t number_count(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

/// Whether the files have the names of diffusers, behind whatever prefix: told by the first, which differs in
/// every other naming.
bool has_names_of_diffusers(const Component& component) {
  if (component.tensors.empty()) return true;
  const auto& [name, source] = *component.tensors.begin();
  return std::any_of(source.file->tensors().begin(), source.file->tensors().end(),
                     [&](const auto& entry) { return entry.first.ends_with(name); });
}

InspectedComponent inspect_component(const Checkpoint& checkpoint, const std::string& name) {
  const PartKind& kind = *find_part(*checkpoint.family, name);
  const Component& component = checkpoint.get(name);
  InspectedComponent inspected;
  inspected.name = kind.name;
  inspected.class_name = component.config.text("_class_name", kind.classes.front());
  inspected.naming = has_names_of_diffusers(component) ? "diffusers" : "original";
  for (const auto& file : component.files) {
    inspected.files.push_back(file->path());
    inspected.format = file_format_name(file->format());
  }
  for (const auto& [tensor, source] : component.tensors) {
    const StoredTensor& stored = source.stored;
    ++inspected.tensors;
    inspected.parameters += number_count(stored.shape);
    inspected.bytes += static_cast<int64_t>(stored.end - stored.begin);
    inspected.number_formats[std::string(number_format_name(stored.format))] += number_count(stored.shape);
  }
  TensorDifferences differences = engine().inspection.compare(checkpoint, name);
  inspected.missing = std::move(differences.missing);
  inspected.unknown = std::move(differences.unknown);
  inspected.misshaped = std::move(differences.misshaped);
  return inspected;
}

/// The parts that the model lacks, and how to get them; tokenizers last.
std::vector<AbsentComponent> absent_parts(const Checkpoint& checkpoint, const ModelName& model) {
  const std::string pull = model.repository.empty() ? "" : "t2v pull " + model.repository + ", or ";
  std::vector<MissingPart> missing = checkpoint.missing_parts();
  std::stable_partition(missing.begin(), missing.end(),
                        [](const MissingPart& part) { return !is_tokenizer(part.name); });
  std::vector<AbsentComponent> absent;
  for (const MissingPart& part : missing) {
    absent.push_back(
        {part.name, part.advice.empty() ? pull + checkpoint.where_to_get(part.name) : part.advice});
  }
  return absent;
}

std::string layout_of(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return "single file";
  return fs::exists(path / "model_index.json", ignored) ? kDiffusersFolder : "folder";
}

Inspection inspect_checkpoint(const fs::path& path) {
  const Checkpoint checkpoint = Checkpoint::open({.model = path});
  const ModelName model = checkpoint.family->model_name(checkpoint.info());
  Inspection inspection;
  inspection.family = model.series;
  inspection.variant = model.name;
  inspection.layout = layout_of(path);
  inspection.pipeline = checkpoint.has(denoiser_of(*checkpoint.family).name) ? checkpoint.pipeline() : "";
  // Elsewhere it is what t2v takes, not what the files say.
  const bool says_scheduler = inspection.layout == kDiffusersFolder;
  inspection.scheduler = says_scheduler ? checkpoint.scheduler.text("_class_name", "") : "";
  for (const auto& [name, component] : checkpoint.components) {
    inspection.components.push_back(inspect_component(checkpoint, name));
  }
  inspection.absent = absent_parts(checkpoint, model);
  return inspection;
}

Inspection inspect_lora(const TensorFile& opened) {
  const LoraFile file = LoraFile::open(opened.path(), family_of_lora(opened));
  Inspection inspection;
  inspection.kind = Inspection::Kind::kLora;
  InspectedLora& lora = inspection.lora;
  lora.naming = lora_naming_name(file.naming);
  lora.made_for = file.made_for();
  lora.modules = static_cast<int64_t>(file.modules.size());
  lora.tensors = static_cast<int64_t>(file.file->tensors().size());
  lora.unknown = file.ignored;
  for (const auto& [key, stored] : file.file->tensors()) {
    lora.bytes += static_cast<int64_t>(stored.end - stored.begin);
    lora.number_formats[std::string(number_format_name(stored.format))] += number_count(stored.shape);
  }
  for (const auto& [name, module] : file.modules) {
    const int64_t rank = module.rank();
    if (rank == 0) continue;
    lora.smallest_rank = lora.smallest_rank == 0 ? rank : std::min(lora.smallest_rank, rank);
    lora.largest_rank = std::max(lora.largest_rank, rank);
  }
  return inspection;
}

Inspection of_settings(Inspection::Kind kind, const fs::path& path, const std::string& text) {
  // Config takes NaN and the like, which no settings have.
  const bool recorded = text.find("\"t2v\"") != std::string::npos && nlohmann::json::accept(text);
  if (!recorded || !Config::parse(text, path.string()).has("t2v")) {
    throw Error(ErrorCode::kInput, {.doing = "inspecting " + path.string(),
                                    .got = "no settings of t2v in it",
                                    .expected = "a checkpoint, a LoRA, or a clip or latents made by t2v"});
  }
  Inspection inspection;
  inspection.kind = kind;
  inspection.settings = text;
  return inspection;
}

/// Whether a file begins as the containers of clips and their pictures do, or is called like the settings
/// beside a sequence of pictures.
bool is_clip(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;  // a FIFO must not hang here
  std::string head(8, '\0');
  std::ifstream(path, std::ios::binary).read(head.data(), static_cast<std::streamsize>(head.size()));
  return path.extension() == ".json" || head.substr(4) == "ftyp" || head.starts_with("\x1A\x45\xDF\xA3") ||
         head.starts_with("GIF8") || head.starts_with("\x89PNG");
}

/// What a clip has as its comment; of a sequence of pictures, the text of the .json beside it.
std::string recorded_settings(const fs::path& path) {
  if (path.extension() == ".json") return Config::read(path).json().dump();
  if (path.extension() == ".png") return "";
  return engine().clips.comment(path);
}

}  // namespace

fs::path recorded_in(const fs::path& clip) {
  if (clip.extension() != ".png") return clip;
  std::string stem = clip.stem().string();
  while (!stem.empty() && std::isdigit(static_cast<unsigned char>(stem.back())) != 0) stem.pop_back();
  std::error_code ignored;
  for (const fs::path& name : {clip, clip.parent_path() / (stem + "%d.png")}) {
    const fs::path settings = SequenceNames(name, 1).settings();
    if (fs::exists(settings, ignored)) return settings;
  }
  return clip;
}

Inspection inspect(const std::filesystem::path& named) {
  const fs::path path = recorded_in(locate_model(named));
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return inspect_checkpoint(path);
  if (is_clip(path)) return of_settings(Inspection::Kind::kClip, path, recorded_settings(path));
  const auto file = TensorFile::open(path);
  const auto settings = file->metadata().find("t2v");
  if (settings != file->metadata().end() && file->tensors().contains("latents")) {
    return of_settings(Inspection::Kind::kLatents, path, settings->second);
  }
  return LoraFile::recognises(*file) ? inspect_lora(*file) : inspect_checkpoint(path);
}

}  // namespace t2v
