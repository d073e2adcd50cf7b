#include "api/presets.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/data_folder.h"
#include "core/log.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUniPC = "UniPCMultistepScheduler";
constexpr const char* kEuler = "FlowMatchEulerDiscreteScheduler";

bool matches(const Config& preset, const Checkpoint& checkpoint) {
  if (!preset.has("matches")) return false;
  for (const auto& [key, value] : preset.json().at("matches").items()) {
    const Config& transformer = checkpoint.get("transformer").config;
    if (!transformer.has(key) || transformer.json().at(key) != value) return false;
  }
  return true;
}

Config find_preset(const Checkpoint& checkpoint) {
  const fs::path folder = data_folder() / "configs";
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    Config preset = Config::read(file);
    if (matches(preset, checkpoint)) return preset;
  }
  return Config::read(folder / "default.json");
}

std::string sampler_of(const Config& scheduler) {
  const std::string class_name = scheduler.text("_class_name", "");
  if (class_name == kUniPC) return "unipc";
  if (class_name == kEuler) return "euler";
  scheduler.fail("_class_name", std::string(kUniPC) + " or " + kEuler);
}

/// The shift of scheduler_config.json. UniPC calls it flow_shift and Euler shift; a file may hold both, since
/// diffusers keeps the other class's keys when one scheduler is made from the other's configuration.
double shift_of(const Config& scheduler, const std::string& sampler) {
  const bool unipc = sampler == "unipc";
  const std::string own = unipc ? "flow_shift" : "shift";
  const bool of_this_class = scheduler.text("_class_name", "") == (unipc ? kUniPC : kEuler);
  if (scheduler.has(own) || of_this_class) return scheduler.number(own, 1);
  return scheduler.number(unipc ? "shift" : "flow_shift", 1);
}

/// A preset without a number that every preset has is damaged.
const Config& with(const Config& preset, const std::string& key) {
  if (!preset.has(key)) preset.fail(key, "a value");
  return preset;
}

}  // namespace

void apply_preset(const Checkpoint& checkpoint, GenerateRequest& request) {
  const Config preset = find_preset(checkpoint);
  log_verbose("preset " + preset.origin());
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
  fill(request.num_inference_steps, integer("num_inference_steps"));
  fill(request.guidance_scale, number("guidance_scale"));
  if (!request.sampler) request.sampler = sampler_of(checkpoint.scheduler);
  if (!request.flow_shift) {
    request.flow_shift =
        preset.has("flow_shift") ? number("flow_shift") : shift_of(checkpoint.scheduler, *request.sampler);
  }
}

}  // namespace t2v
