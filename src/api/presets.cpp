#include "api/presets.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/log.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

bool matches(const Config& preset, const ModelFolder& model) {
  if (!preset.has("matches")) return false;
  for (const auto& [key, value] : preset.json().at("matches").items()) {
    if (!model.transformer.has(key) || model.transformer.json().at(key) != value) return false;
  }
  return true;
}

Config find_preset(const ModelFolder& model) {
  const fs::path folder = data_folder() / "configs";
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    Config preset = Config::read(file);
    if (matches(preset, model)) return preset;
  }
  return Config::read(folder / "default.json");
}

std::string sampler_of(const Config& scheduler) {
  const std::string class_name = scheduler.text("_class_name", "");
  if (class_name == "UniPCMultistepScheduler") return "unipc";
  if (class_name == "FlowMatchEulerDiscreteScheduler") return "euler";
  scheduler.fail("_class_name", "UniPCMultistepScheduler or FlowMatchEulerDiscreteScheduler");
}

}  // namespace

void apply_preset(const ModelFolder& model, GenerateRequest& request) {
  const Config preset = find_preset(model);
  log_verbose("preset " + preset.origin());
  const auto fill = [](auto& optional, auto value) {
    if (!optional) optional = value;
  };
  fill(request.negative_prompt, preset.text("negative_prompt", ""));
  fill(request.height, preset.integer("height", 480));
  fill(request.width, preset.integer("width", 832));
  fill(request.fps, preset.number("fps", 16));
  if (!request.duration) fill(request.num_frames, preset.integer("num_frames", 81));
  fill(request.num_inference_steps, preset.integer("num_inference_steps", 50));
  fill(request.guidance_scale, preset.number("guidance_scale", 5));
  fill(request.sampler, sampler_of(model.scheduler));
  fill(request.flow_shift,
       preset.number("flow_shift", model.scheduler.number("flow_shift", model.scheduler.number("shift", 1))));
}

}  // namespace t2v
