#include "engine/interface/settings.h"

#include <nlohmann/json.hpp>

#include "engine/interface/output_options.h"
#include "families/registry.h"
#include "media/formats/encoding.h"
#include "t2v/generate.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// Values as the flags take them; null for a flag that was not given.

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

/// Sets a key; an existing key keeps its place. null removes the key.
void set(ordered_json& settings, const std::string& key, const ordered_json& value) {
  if (value.is_null()) {
    settings.erase(key);
  } else {
    settings[key] = value;
  }
}

/// Adds the settings that every clip has.
void add_main(const CheckedRequest& request, const std::string& device, ordered_json& settings) {
  const CheckedSampling& sampling = request.sampling;
  set(settings, "model", recorded(request.model.model));
  set(settings, "prompt", request.prompt);
  set(settings, "negative_prompt", request.negative_prompt);
  // As a string, because JSON readers that keep numbers as doubles round seeds above 2^53.
  set(settings, "seed", std::to_string(sampling.seed));
  set(settings, "width", request.size.width);
  set(settings, "height", request.size.height);
  set(settings, "num_frames", request.size.num_frames);
  set(settings, "num_inference_steps", sampling.num_inference_steps);
  set(settings, "guidance_scale", sampling.guidance_scale);
  set(settings, "sampler", sampling.sampler);
  set(settings, "flow_shift", sampling.flow_shift);
  set(settings, "dtype", request.machine.dtype);
  set(settings, "device", device);
}

/// Adds the files that the clip is made from, beside the model.
void add_files(const ModelChoice& model, const Conditions& conditions, ordered_json& settings) {
  for (const Family* family : families()) {
    for (const PartKind& part : family->parts()) {
      if (model.parts.contains(part.name)) set(settings, part.name, recorded(model.part(part.name)));
    }
  }
  set(settings, "image", recorded(conditions.image));
  set(settings, "end_image", recorded(conditions.end_image));
  set(settings, "control_video", recorded(conditions.control_video));
  set(settings, "control_mask", recorded(conditions.control_mask));
  set(settings, "reference_image", recorded(conditions.reference_images));
  set(settings, "lora", recorded(model.loras));
  set(settings, "lora_2", recorded(model.loras_2));
}

/// Adds the settings that few clips have.
void add_options(const CheckedRequest& request, ordered_json& settings) {
  const CheckedSampling& sampling = request.sampling;
  const Machine& machine = request.machine;
  set(settings, "guidance_scale_2", recorded(sampling.guidance_scale_2));
  set(settings, "boundary_ratio", recorded(sampling.boundary_ratio));
  set(settings, "conditioning_scale", recorded(request.conditions.conditioning_scale));
  set(settings, "sigmas", recorded(sampling.sigmas));
  set(settings, "legacy_sigmas", recorded(sampling.legacy_sigmas));
  set(settings, "text_encoder_device", recorded(machine.text_encoder_device));
  set(settings, "offload", recorded_unless(Machine().offload, machine.offload));
  set(settings, "max_vram", recorded(machine.max_vram));
  set(settings, "threads", recorded_unless(Machine().threads, machine.threads));
  set(settings, "cache_mode", recorded_unless(StepCaching().mode, request.caching.mode));
  set(settings, "cache_option", recorded(request.caching.options));
}

/// Adds the settings of decoding and encoding, with the encoder in libav's words.
void add_output(const CheckedSize& size, bool vae_tiling, const Encoding& encoding, const Outputs& outputs,
                ordered_json& settings) {
  ordered_json encoder;
  if (!outputs.output.empty()) {
    const ChosenEncoding chosen = choose_encoding(outputs.output, output_options(size, encoding, outputs));
    encoder = {{"codec", chosen.codec}, {"pix_fmt", chosen.pix_fmt}};
    if (chosen.crf) encoder["crf"] = *chosen.crf;
  }
  set(settings, "fps", size.fps);
  set(settings, "quality", encoding.quality);
  set(settings, "crf", recorded(encoding.crf));
  set(settings, "codec", recorded(encoding.codec));
  set(settings, "pix_fmt", recorded(encoding.pix_fmt));
  set(settings, "vae_tiling", recorded(vae_tiling));
  // Recorded for decoding the latents later: the latents have the settings even with no_metadata.
  set(settings, "no_metadata", recorded(!outputs.metadata));
  set(settings, "encoder", encoder);
}

std::string one_line(const ordered_json& settings) {
  return settings.dump(-1, ' ', /*ensure_ascii=*/false, ordered_json::error_handler_t::replace);
}

}  // namespace

std::string settings_json(const CheckedRequest& request, const Provenance& provenance) {
  ordered_json settings = {{"t2v", version()}};
  add_main(request, provenance.device, settings);
  add_files(request.model, request.conditions, settings);
  add_options(request, settings);
  add_output(request.size, request.machine.vae_tiling, request.encoding, request.outputs, settings);
  set(settings, "device_name", recorded(provenance.device_name));
  set(settings, "model_sha256", recorded(provenance.model_sha256));
  set(settings, "skipped_steps", recorded(provenance.skipped_steps));
  set(settings, "arguments", recorded(request.arguments));
  return one_line(settings);
}

std::string decoded_settings_json(const std::string& recorded_settings, const DecodeTask& task) {
  ordered_json settings = ordered_json::parse(recorded_settings);
  std::map<std::string, fs::path> used = task.model.parts;
  used["model"] = task.model.model;
  for (const auto& [key, path] : used) {
    if (path.empty() || settings.value(key, ordered_json()) == recorded(path)) continue;
    settings[key] = recorded(path);
    settings.erase("model_sha256");  // the task uses other weights
  }
  add_output(task.size, task.machine.vae_tiling, task.encoding, task.outputs, settings);
  return one_line(settings);
}

}  // namespace t2v
