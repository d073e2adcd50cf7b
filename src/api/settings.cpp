#include "api/settings.h"

#include <nlohmann/json.hpp>

namespace t2v {
namespace {

nlohmann::ordered_json lora_list(const std::vector<LoraChoice>& loras) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const LoraChoice& lora : loras) {
    list.push_back({{"file", lora.file.string()}, {"strength", lora.strength}});
  }
  return list;
}

/// The files that the clip is made from, beside the model and its LoRAs.
void add_inputs(const GenerateRequest& request, nlohmann::ordered_json& settings) {
  const std::pair<const char*, std::filesystem::path> paths[] = {{"transformer", request.transformer},
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
    if (!path.empty()) settings[key] = path.string();
  }
  for (const std::filesystem::path& file : request.reference_images)
    settings["reference_images"].push_back(file.string());
  if (request.conditioning_scale) settings["conditioning_scale"] = *request.conditioning_scale;
}

}  // namespace

std::string settings_json(const GenerateRequest& request, const std::string& device) {
  nlohmann::ordered_json settings = {
      {"t2v", version()},
      {"model", request.model.string()},
      {"prompt", request.prompt},
      {"negative_prompt", *request.negative_prompt},
      // A string: JSON readers that keep numbers as doubles would round seeds above 2^53.
      {"seed", std::to_string(*request.seed)},
      {"width", *request.width},
      {"height", *request.height},
      {"num_frames", *request.num_frames},
      {"fps", *request.fps},
      {"num_inference_steps", *request.num_inference_steps},
      {"guidance_scale", *request.guidance_scale},
      {"sampler", *request.sampler},
      {"flow_shift", *request.flow_shift},
      {"dtype", request.dtype},
      {"device", device},
      {"quality", request.quality},
  };
  add_inputs(request, settings);
  if (request.guidance_scale_2) settings["guidance_scale_2"] = *request.guidance_scale_2;
  if (request.boundary_ratio) settings["boundary_ratio"] = *request.boundary_ratio;
  if (request.vae_tiling) settings["vae_tiling"] = true;
  if (request.legacy_sigmas) settings["legacy_sigmas"] = true;
  if (!request.text_encoder_device.empty()) settings["text_encoder_device"] = request.text_encoder_device;
  if (request.threads > 0) settings["threads"] = request.threads;
  if (!request.sigmas.empty()) settings["sigmas"] = request.sigmas;
  if (request.crf) settings["crf"] = *request.crf;
  if (!request.loras.empty()) settings["loras"] = lora_list(request.loras);
  if (!request.loras_2.empty()) settings["loras_2"] = lora_list(request.loras_2);
  if (!request.arguments.empty()) settings["arguments"] = request.arguments;
  return settings.dump(-1, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace);
}

}  // namespace t2v
