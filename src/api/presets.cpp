#include "api/presets.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/data_folder.h"
#include "core/log.h"
#include "sampling/names/samplers.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// What a path is called: its last name, and its repository's in the Hugging Face cache. Other folders on the
/// way to it say nothing about it.
std::string name_of(const fs::path& path) {
  std::string name = (path / "").parent_path().filename().string();
  for (const fs::path& folder : path) {
    if (folder.string().starts_with("models--")) name += '\n' + folder.string();
  }
  return name + '\n';
}

/// What the model, its transformers and what is merged into them are called, in lower case.
std::string names_of(const GenerateRequest& request) {
  std::string names = name_of(request.model) + name_of(request.transformer) + name_of(request.transformer_2);
  for (const auto* loras : {&request.loras, &request.loras_2}) {
    for (const LoraChoice& lora : *loras) names += name_of(lora.file);
  }
  std::transform(names.begin(), names.end(), names.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return names;
}

/// Whether the checkpoint is what `key` of "matches" asks for.
bool holds(const Config& preset, const std::string& key, const json& wanted, const Checkpoint& checkpoint,
           const std::string& names) {
  if (key == "pipeline") return wanted == pipeline_class_name(checkpoint.pipeline);
  if (key == "transformer_2") return wanted == checkpoint.has("transformer_2");
  if (key == "expand_timesteps") return wanted == checkpoint.expand_timesteps;
  if (key == "names") {
    return std::any_of(wanted.begin(), wanted.end(), [&](const json& word) {
      return names.find(word.get<std::string>()) != std::string::npos;
    });
  }
  if (key != "transformer") preset.fail("matches", "no key '" + key + "'");
  const Config& transformer = checkpoint.get("transformer").config;
  return std::all_of(wanted.items().begin(), wanted.items().end(), [&](const auto& item) {
    return transformer.json().value(item.key(), json()) == item.value();
  });
}

/// How much a preset asks for, 0 for nothing; -1 if the checkpoint is something else.
int64_t specificity(const Config& preset, const Checkpoint& checkpoint, const std::string& names) {
  if (!preset.has("matches")) return 0;
  int64_t asked = 0;
  for (const auto& [key, wanted] : preset.json().at("matches").items()) {
    if (!holds(preset, key, wanted, checkpoint, names)) return -1;
    asked += key == "transformer" ? static_cast<int64_t>(wanted.size()) : 1;
  }
  return asked;
}

/// A preset without a number that every preset has is damaged.
const Config& with(const Config& preset, const std::string& key) {
  if (!preset.has(key)) preset.fail(key, "a value");
  return preset;
}

/// What TeaCache has to know of the model. The last of two options holds: what is said comes after it.
void fill_cache_options(const Config& preset, GenerateRequest& request) {
  const auto known = preset.json().value("teacache", std::vector<std::string>());
  const bool filled =
      !request.cache_options.empty() && !known.empty() && request.cache_options[0] == known[0];
  if (request.cache_mode == "teacache" && !filled)
    request.cache_options.insert(request.cache_options.begin(), known.begin(), known.end());
}

/// Steps, and the noise levels that belong to that number of them.
void fill_steps(const Config& preset, GenerateRequest& request) {
  if (!request.num_inference_steps) {
    request.num_inference_steps = with(preset, "num_inference_steps").integer("num_inference_steps", 0);
  }
  const std::vector<double> sigmas = preset.numbers("sigmas", {});
  const bool fits = static_cast<int64_t>(sigmas.size()) == *request.num_inference_steps;
  if (request.sigmas.empty() && fits) request.sigmas = sigmas;
}

}  // namespace

Config find_preset(const Checkpoint& checkpoint, const GenerateRequest& request) {
  const std::string names = names_of(request);
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(data_folder() / "configs")) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  Config best = Config::read(data_folder() / "configs" / "default.json");
  int64_t asked = 0;
  for (const fs::path& file : files) {
    const Config preset = Config::read(file);
    const int64_t asks = specificity(preset, checkpoint, names);
    if (asks < asked) continue;
    best = preset;
    asked = asks;
  }
  log_verbose("preset " + best.origin());
  return best;
}

void apply_preset(const Config& preset, const Checkpoint& checkpoint, GenerateRequest& request) {
  const auto fill = [](auto& optional, auto value) {
    if (!optional) optional = value;
  };
  const auto integer = [&](const char* key) { return with(preset, key).integer(key, 0); };
  const auto number = [&](const char* key) { return with(preset, key).number(key, 0); };
  fill(request.negative_prompt, preset.text("negative_prompt", ""));
  fill(request.height, integer("height"));
  fill(request.width, integer("width"));
  fill(request.fps, number("fps"));
  if (!request.duration) fill(request.num_frames, integer("num_frames"));
  fill_steps(preset, request);
  fill_cache_options(preset, request);
  if (checkpoint.has("transformer_2")) {
    if (!request.guidance_scale && preset.has("guidance_scale_2"))
      fill(request.guidance_scale_2, number("guidance_scale_2"));
    if (checkpoint.boundary_ratio) fill(request.boundary_ratio, *checkpoint.boundary_ratio);
    if (preset.has("boundary_ratio")) fill(request.boundary_ratio, number("boundary_ratio"));
  }
  fill(request.guidance_scale, number("guidance_scale"));
  if (!request.sampler) {
    request.sampler =
        preset.has("sampler") ? preset.text("sampler", "") : sampler_of(checkpoint.scheduler).name;
  }
  if (!request.flow_shift) {
    request.flow_shift = preset.has("flow_shift")
                             ? number("flow_shift")
                             : shift_of(checkpoint.scheduler, sampler_named(*request.sampler));
  }
}

}  // namespace t2v
