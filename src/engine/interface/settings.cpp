#include "engine/interface/settings.h"

#include <nlohmann/json.hpp>

#include "engine/interface/output_options.h"
#include "media/formats/encoding.h"
#include "t2v/generate.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// The value of a field as its flag takes it; null where the flag was not given.

ordered_json recorded(const fs::path& path) {
  if (path.empty()) return nullptr;
  std::error_code ignored;
  return fs::absolute(path, ignored).string();
}

/// "PATH:STRENGTH"
ordered_json recorded(const LoraChoice& lora) {
  return recorded(lora.file).get<std::string>() + ':' + ordered_json(lora.strength).dump();
}

ordered_json recorded(const std::string& text) { return text.empty() ? ordered_json() : ordered_json(text); }

ordered_json recorded(double number) { return number; }

ordered_json recorded(bool value) { return value ? ordered_json(true) : ordered_json(); }

template <typename Value>
ordered_json recorded(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

template <typename Value>
ordered_json recorded(const std::vector<Value>& values) {
  ordered_json list;
  for (const Value& value : values) list.push_back(recorded(value));
  return list;
}

template <typename Value>
ordered_json recorded_unless(const Value& usual, const Value& value) {
  return value == usual ? ordered_json() : ordered_json(value);
}

/// Sets a key, in its place if it is there; null removes it.
void set(ordered_json& settings, const std::string& key, const ordered_json& value) {
  if (value.is_null()) {
    settings.erase(key);
  } else {
    settings[key] = value;
  }
}

// Every setting of a part, under the name of its flag.

void add(const ModelChoice& choice, ordered_json& settings) {
  set(settings, "model", recorded(choice.model));
  for (const auto& [component, path] : choice.parts) set(settings, component, recorded(path));
  set(settings, "lora", recorded(choice.loras));
  set(settings, "lora_2", recorded(choice.loras_2));
}

void add(const Conditions& conditions, ordered_json& settings) {
  set(settings, "image", recorded(conditions.image));
  set(settings, "end_image", recorded(conditions.end_image));
  set(settings, "control_video", recorded(conditions.control_video));
  set(settings, "control_mask", recorded(conditions.control_mask));
  set(settings, "reference_image", recorded(conditions.reference_images));
  set(settings, "conditioning_scale", recorded(conditions.conditioning_scale));
}

void add(const CheckedSize& size, ordered_json& settings) {
  set(settings, "width", size.width);
  set(settings, "height", size.height);
  set(settings, "num_frames", size.num_frames);
  set(settings, "fps", size.fps);
}

void add(const CheckedSampling& sampling, ordered_json& settings) {
  // A string: JSON readers that keep numbers as doubles would round seeds above 2^53.
  set(settings, "seed", std::to_string(sampling.seed));
  set(settings, "num_inference_steps", sampling.num_inference_steps);
  set(settings, "guidance_scale", sampling.guidance_scale);
  set(settings, "guidance_scale_2", recorded(sampling.guidance_scale_2));
  set(settings, "boundary_ratio", recorded(sampling.boundary_ratio));
  set(settings, "sampler", sampling.sampler);
  set(settings, "flow_shift", sampling.flow_shift);
  set(settings, "sigmas", recorded(sampling.sigmas));
  set(settings, "legacy_sigmas", recorded(sampling.legacy_sigmas));
}

void add(const StepCaching& caching, ordered_json& settings) {
  set(settings, "cache_mode", recorded_unless(StepCaching().mode, caching.mode));
  set(settings, "cache_option", recorded(caching.options));
}

void add(const Machine& machine, ordered_json& settings) {
  set(settings, "device", machine.device);
  set(settings, "dtype", machine.dtype);
  set(settings, "text_encoder_device", recorded(machine.text_encoder_device));
  set(settings, "offload", recorded_unless(Machine().offload, machine.offload));
  set(settings, "max_vram", recorded(machine.max_vram));
  set(settings, "threads", recorded_unless(Machine().threads, machine.threads));
  set(settings, "vae_tiling", recorded(machine.vae_tiling));
}

void add(const Encoding& encoding, ordered_json& settings) {
  set(settings, "quality", encoding.quality);
  set(settings, "crf", recorded(encoding.crf));
  set(settings, "codec", recorded(encoding.codec));
  set(settings, "pix_fmt", recorded(encoding.pix_fmt));
}

/// How the frames become the file, also in the words of the encoder.
void add_output(const CheckedSize& size, const Encoding& encoding, const Outputs& outputs,
                ordered_json& settings) {
  ordered_json encoder;
  if (!outputs.output.empty()) {
    const ChosenEncoding chosen = choose_encoding(outputs.output, output_options(size, encoding, outputs));
    encoder = {{"codec", chosen.codec}, {"pix_fmt", chosen.pix_fmt}};
    if (chosen.crf) encoder["crf"] = *chosen.crf;
  }
  add(encoding, settings);
  // For who decodes the latents, which have the settings even then.
  set(settings, "no_metadata", recorded(!outputs.metadata));
  set(settings, "encoder", encoder);
}

std::string one_line(const ordered_json& settings) {
  return settings.dump(-1, ' ', /*ensure_ascii=*/false, ordered_json::error_handler_t::replace);
}

}  // namespace

std::string settings_json(const CheckedRequest& request, const Provenance& provenance) {
  ordered_json settings = {{"t2v", version()}};
  set(settings, "model", recorded(request.model.model));
  set(settings, "prompt", request.prompt);
  set(settings, "negative_prompt", request.negative_prompt);
  add(request.size, settings);
  add(request.sampling, settings);
  add(request.caching, settings);
  add(request.machine, settings);
  add(request.model, settings);
  add(request.conditions, settings);
  add_output(request.size, request.encoding, request.outputs, settings);
  set(settings, "device", provenance.device);
  set(settings, "device_name", recorded(provenance.device_name));
  set(settings, "model_sha256", recorded(provenance.model_sha256));
  set(settings, "skipped_steps", recorded(provenance.skipped_steps));
  set(settings, "arguments", recorded(request.arguments));
  return one_line(settings);
}

std::string decoded_settings_json(const std::string& recorded_settings, const DecodeTask& task) {
  ordered_json settings = ordered_json::parse(recorded_settings);
  const std::pair<const char*, fs::path> used[] = {{"model", task.model.model},
                                                   {"vae", task.model.part("vae")}};
  for (const auto& [key, path] : used) {
    if (path.empty() || settings.value(key, ordered_json()) == recorded(path)) continue;
    settings[key] = recorded(path);
    settings.erase("model_sha256");  // it is that of other weights
  }
  set(settings, "fps", task.size.fps);
  set(settings, "vae_tiling", recorded(task.machine.vae_tiling));
  add_output(task.size, task.encoding, task.outputs, settings);
  return one_line(settings);
}

}  // namespace t2v
