#include "t2v/inspect.h"

#include <algorithm>
#include <cctype>
#include <fstream>

#include <nlohmann/json.hpp>

#include "api/engine_library.h"
#include "core/config.h"
#include "files/checkpoints/checkpoint.h"
#include "files/checkpoints/expected_tensors.h"
#include "files/checkpoints/lora.h"
#include "files/checkpoints/variant.h"
#include "media/output_format.h"
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

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (const int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

/// The class of a component, where its configuration does not name one.
std::string class_of(const std::string& name, const Config& config) {
  const std::string class_name = config.text("_class_name", "");
  if (!class_name.empty()) return class_name;
  if (name == "vae") return "AutoencoderKLWan";
  if (name == "text_encoder") return "UMT5EncoderModel";
  return name == "image_encoder" ? "CLIPVisionModel" : "WanTransformer3DModel";
}

/// transformers 4 puts this before the names of CLIPVisionModel, transformers 5 does not.
std::string without_model_prefix(const std::string& name) {
  constexpr std::string_view kPrefix = "vision_model.";
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

/// Compares the tensors that are there with those that the class has.
void compare(const Component& component, InspectedComponent& inspected) {
  const TensorShapes expected = expected_tensors(inspected.name, component.config);
  std::map<std::string, const StoredTensor*> found;
  for (const auto& [name, source] : component.tensors) found[without_model_prefix(name)] = &source.stored;
  for (const auto& [name, shape] : expected) {
    const auto tensor = found.find(name);
    if (tensor == found.end()) {
      if (!is_unused_tensor(inspected.name, name, component.config)) inspected.missing.push_back(name);
    } else if (tensor->second->shape != shape) {
      inspected.misshaped.push_back(name + " " + shape_text(tensor->second->shape) + ", expected " +
                                    shape_text(shape));
    }
  }
  for (const auto& [name, stored] : found) {
    if (!expected.contains(name) && !is_ignored_tensor(inspected.name, name))
      inspected.unknown.push_back(name);
  }
}

/// Whether the files have the names of diffusers, behind whatever prefix: told by the first, which differs in
/// every other naming.
bool has_names_of_diffusers(const Component& component) {
  if (component.tensors.empty()) return true;
  const auto& [name, source] = *component.tensors.begin();
  return std::any_of(source.file->tensors().begin(), source.file->tensors().end(),
                     [&](const auto& entry) { return entry.first.ends_with(name); });
}

InspectedComponent inspect_component(const std::string& name, const Component& component) {
  InspectedComponent inspected;
  inspected.name = name;
  inspected.class_name = class_of(name, component.config);
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
  compare(component, inspected);
  return inspected;
}

/// The parts that the model needs and that are not there.
std::vector<AbsentComponent> absent_parts(const Checkpoint& checkpoint, const Variant& variant) {
  const bool image_branch =
      checkpoint.has("transformer") && checkpoint.get("transformer").config.has("image_dim");
  const std::vector<std::pair<const char*, bool>> needed = {
      {"transformer", true},
      {"transformer_2", checkpoint.boundary_ratio.has_value() || !checkpoint.lone_expert().empty()},
      {"vae", true},
      {"text_encoder", true},
      {"image_encoder", image_branch},
  };
  std::vector<AbsentComponent> absent;
  const auto add = [&](const std::string& name) {
    const std::string pull = variant.repository.empty() ? "" : "t2v pull " + variant.repository + ", or ";
    std::string advice = pull + where_to_get(name);
    if (name == "transformer_2" && !checkpoint.lone_expert().empty() && !checkpoint.lacks_low_noise()) {
      advice = "the file is " + checkpoint.lone_expert() +
               ": name the one for high noise with --transformer, the one for low noise with --transformer-2";
    }
    absent.push_back({name, advice});
  };
  for (const auto& [name, is_needed] : needed) {
    if (is_needed && !checkpoint.has(name)) add(name);
  }
  if (!checkpoint.tokenizer) add("tokenizer");
  return absent;
}

std::string layout_of(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return "single file";
  return fs::exists(path / "model_index.json", ignored) ? kDiffusersFolder : "folder";
}

Inspection inspect_checkpoint(const fs::path& path) {
  const Checkpoint checkpoint = Checkpoint::open({.model = path});
  const Variant variant = variant_of(checkpoint);
  Inspection inspection;
  inspection.family = variant.family;
  inspection.variant = variant.name;
  inspection.layout = layout_of(path);
  inspection.pipeline = checkpoint.has("transformer") ? pipeline_class_name(checkpoint.pipeline) : "";
  // Elsewhere it is what t2v takes, not what the files say.
  const bool says_scheduler = inspection.layout == kDiffusersFolder;
  inspection.scheduler = says_scheduler ? checkpoint.scheduler.text("_class_name", "") : "";
  for (const auto& [name, component] : checkpoint.components) {
    inspection.components.push_back(inspect_component(name, component));
  }
  inspection.absent = absent_parts(checkpoint, variant);
  return inspection;
}

Inspection inspect_lora(const fs::path& path) {
  const LoraFile file = LoraFile::open(path);
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
  return LoraFile::recognises(*file) ? inspect_lora(path) : inspect_checkpoint(path);
}

}  // namespace t2v
