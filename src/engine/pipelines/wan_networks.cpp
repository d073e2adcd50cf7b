#include "engine/pipelines/wan_networks.h"

#include "networks/autoencoders/autoencoder_kl_wan.h"
#include "networks/text_encoders/clip_vision.h"
#include "networks/text_encoders/umt5_encoder.h"
#include "networks/transformers/transformer_wan_vace.h"

namespace t2v {

void construct_wan_network(const std::string& network, const Config& config, const Weights& weights) {
  if (network == "vae") {
    AutoencoderKLWan(weights, AutoencoderKLWanConfig::from_config(config),
                     AutoencoderKLWan::Parts::kEncoderAndDecoder);
  } else if (network == "text_encoder") {
    UMT5Encoder(weights, UMT5Config::from_config(config));
  } else if (network == "image_encoder") {
    CLIPVisionModel(weights, CLIPVisionConfig::from_config(config));
  } else if (config.text("_class_name", "") == "WanVACETransformer3DModel") {
    WanVACETransformer3DModel(weights, WanVACETransformer3DConfig::from_config(config));
  } else {
    WanTransformer3DModel(weights, WanTransformer3DConfig::from_config(config));
  }
}

std::vector<std::string> wan_keep_in_fp32(const std::string& network) {
  return network == "transformer" ? WanTransformer3DModel::keep_in_fp32() : std::vector<std::string>{};
}

}  // namespace t2v
