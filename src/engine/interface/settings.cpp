#include "engine/interface/settings.h"

#include <nlohmann/json.hpp>

#include "media/encoding.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::string full_path(const fs::path& path) {
  std::error_code ignored;
  return fs::absolute(path, ignored).string();
}

std::string one_line(const ordered_json& settings) {
  return settings.dump(-1, ' ', /*ensure_ascii=*/false, ordered_json::error_handler_t::replace);
}

/// Sets a key, in the place that it has if it is there; null takes it out.
void set(ordered_json& settings, const char* key, const ordered_json& value) {
  if (value.is_null()) {
    settings.erase(key);
  } else {
    settings[key] = value;
  }
}

/// "PATH:STRENGTH", each
ordered_json lora_list(const std::vector<LoraChoice>& loras) {
  ordered_json list = ordered_json::array();
  for (const LoraChoice& lora : loras) {
    list.push_back(full_path(lora.file) + ':' + ordered_json(lora.strength).dump());
  }
  return list;
}

/// The files that the clip is made from, beside the model.
void add_inputs(const GenerateRequest& request, ordered_json& settings) {
  const std::pair<const char*, fs::path> paths[] = {{"transformer", request.transformer},
                                                    {"transformer_2", request.transformer_2},
                                                    {"vae", request.vae},
                                                    {"text_encoder", request.text_encoder},
                                                    {"tokenizer", request.tokenizer},
                                                    {"image_encoder", request.image_encoder},
                                                    {"image", request.image},
                                                    {"end_image", request.end_image},
                                                    {"control_video", request.control_video},
                                                    {"control_mask", request.control_mask}};
  for (const auto& [key, path] : paths) {
    if (!path.empty()) settings[key] = full_path(path);
  }
  for (const fs::path& file : request.reference_images)
    settings["reference_image"].push_back(full_path(file));
  if (!request.loras.empty()) settings["lora"] = lora_list(request.loras);
  if (!request.loras_2.empty()) settings["lora_2"] = lora_list(request.loras_2);
}

/// What is recorded where it was asked for.
void add_options(const GenerateRequest& request, ordered_json& settings) {
  if (request.guidance_scale_2) settings["guidance_scale_2"] = *request.guidance_scale_2;
  if (request.boundary_ratio) settings["boundary_ratio"] = *request.boundary_ratio;
  if (request.conditioning_scale) settings["conditioning_scale"] = *request.conditioning_scale;
  if (!request.sigmas.empty()) settings["sigmas"] = request.sigmas;
  if (request.legacy_sigmas) settings["legacy_sigmas"] = true;
  if (!request.text_encoder_device.empty()) settings["text_encoder_device"] = request.text_encoder_device;
  if (request.offload != GenerateRequest().offload) settings["offload"] = request.offload;
  if (request.max_vram) settings["max_vram"] = *request.max_vram;
  if (request.threads > 0) settings["threads"] = request.threads;
  if (request.cache_mode != GenerateRequest().cache_mode) settings["cache_mode"] = request.cache_mode;
  if (!request.cache_options.empty()) settings["cache_option"] = request.cache_options;
}

/// How the clip is decoded and encoded.
void add_encoding(const GenerateRequest& request, ordered_json& settings) {
  const auto if_any = [](const std::string& word) {
    return word.empty() ? ordered_json() : ordered_json(word);
  };
  const Encoding encoding = choose_encoding(request.output, {.quality = request.quality,
                                                             .crf = request.crf,
                                                             .codec = request.codec,
                                                             .pix_fmt = request.pix_fmt,
                                                             .fps = *request.fps});
  ordered_json encoder = {{"codec", encoding.codec}, {"pix_fmt", encoding.pix_fmt}};
  if (encoding.crf) encoder["crf"] = *encoding.crf;
  settings["fps"] = *request.fps;
  settings["quality"] = request.quality;
  set(settings, "crf", request.crf ? ordered_json(*request.crf) : ordered_json());
  set(settings, "codec", if_any(request.codec));
  set(settings, "pix_fmt", if_any(request.pix_fmt));
  set(settings, "vae_tiling", request.vae_tiling ? ordered_json(true) : ordered_json());
  // For who decodes the latents, which have the settings even then.
  set(settings, "no_metadata", request.metadata ? ordered_json() : ordered_json(true));
  settings["encoder"] = encoder;
}

}  // namespace

std::string settings_json(const GenerateRequest& request, const Provenance& provenance) {
  ordered_json settings = {
      {"t2v", version()},
      {"model", full_path(request.model)},
      {"prompt", request.prompt},
      {"negative_prompt", *request.negative_prompt},
      // A string: JSON readers that keep numbers as doubles would round seeds above 2^53.
      {"seed", std::to_string(*request.seed)},
      {"width", *request.width},
      {"height", *request.height},
      {"num_frames", *request.num_frames},
      {"num_inference_steps", *request.num_inference_steps},
      {"guidance_scale", *request.guidance_scale},
      {"sampler", *request.sampler},
      {"flow_shift", *request.flow_shift},
      {"dtype", request.dtype},
      {"device", provenance.device},
  };
  if (request.model.empty()) settings.erase("model");
  add_inputs(request, settings);
  add_options(request, settings);
  add_encoding(request, settings);
  if (!provenance.device_name.empty()) settings["device_name"] = provenance.device_name;
  if (!provenance.model_sha256.empty()) settings["model_sha256"] = provenance.model_sha256;
  if (provenance.skipped_steps) settings["skipped_steps"] = *provenance.skipped_steps;
  if (!request.arguments.empty()) settings["arguments"] = request.arguments;
  return one_line(settings);
}

std::string decoded_settings_json(const std::string& recorded, const GenerateRequest& request) {
  ordered_json settings = ordered_json::parse(recorded);
  const std::pair<const char*, fs::path> used[] = {{"model", request.model}, {"vae", request.vae}};
  for (const auto& [key, path] : used) {
    if (path.empty() || (settings.contains(key) && settings[key] == full_path(path))) continue;
    settings[key] = full_path(path);
    settings.erase("model_sha256");  // was that of others
  }
  add_encoding(request, settings);
  return one_line(settings);
}

}  // namespace t2v
