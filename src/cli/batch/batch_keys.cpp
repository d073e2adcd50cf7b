#include "batch_keys.h"

#include <vector>

namespace t2v {
std::string model_key(const GenerateRequest& request) {
  std::string key;
  for (const auto& part : {request.model, request.transformer, request.transformer_2, request.vae,
                           request.text_encoder, request.tokenizer, request.image_encoder}) {
    key += part.string() + '\0';
  }
  for (const auto* loras : {&request.loras, &request.loras_2}) {
    for (const LoraChoice& lora : *loras)
      key += lora.file.string() + ':' + std::to_string(lora.strength) + '\0';
    key += '\0';
  }
  return key + request.dtype + '\0' + request.device + '\0' + request.offload + '\0' +
         std::to_string(request.max_vram.value_or(0)) + '\0' + request.text_encoder_device;
}

std::string shape_key(const GenerateRequest& request) {
  return std::to_string(*request.width) + 'x' + std::to_string(*request.height) + 'x' +
         std::to_string(*request.num_frames);
}

std::string kind_key(const GenerateRequest& request) {
  std::string key = request.output.extension().string() + '\0' + request.quality + '\0' + request.codec +
                    '\0' + request.pix_fmt + '\0' + request.cache_mode + '\0' + request.sampler.value_or("");
  for (const std::string& option : request.cache_options) key += '\0' + option;
  for (const int64_t number :
       {request.crf.value_or(-1), request.threads, static_cast<int64_t>(request.reference_images.size())}) {
    key += '\0' + std::to_string(number);
  }
  key += '\0' + std::to_string(*request.fps);
  for (const bool part :
       {request.vae_tiling, *request.guidance_scale > 1, !request.makes_previews(), request.image.empty(),
        request.end_image.empty(), request.control_video.empty(), request.control_mask.empty()}) {
    key += part ? '1' : '0';
  }
  return key;
}

std::string inputs_key(const GenerateRequest& request) {
  std::string key;
  std::vector<std::filesystem::path> files = request.reference_images;
  files.insert(files.end(), {request.image, request.end_image, request.control_video, request.control_mask});
  for (const std::filesystem::path& file : files) key += file.string() + '\0';
  return key;
}

double work_of(const GenerateRequest& request) {
  const double pixels = static_cast<double>(*request.width * *request.height * *request.num_frames);
  return pixels * static_cast<double>(*request.num_inference_steps) * (*request.guidance_scale > 1 ? 2 : 1);
}

}  // namespace t2v
