#include "engine/pipelines/wan_vae.h"

#include <utility>

#include "networks/autoencoders/autoencoder_kl_wan.h"

namespace t2v {
namespace {

/// Normalises the latents around the network.
class WanVae final : public Vae {
 public:
  explicit WanVae(std::shared_ptr<const AutoencoderKLWan> network) : network_(std::move(network)) {}

  void decode(const Tensor& latents, const std::optional<VaeTiling>& tiling,
              const std::function<void(const Tensor& pixels)>& on_chunk) const override {
    const Tensor denormalized = network_->denormalize(latents);
    if (tiling) {
      network_->decode(denormalized, *tiling, on_chunk);
    } else {
      network_->decode(denormalized, on_chunk);
    }
  }

  Tensor encode(const VideoSource& video, const std::optional<VaeTiling>& tiling) const override {
    return network_->normalize(network_->encode(video, tiling));
  }

 private:
  std::shared_ptr<const AutoencoderKLWan> network_;
};

}  // namespace

std::shared_ptr<const Vae> load_wan_vae(const ComponentLoader& loader, bool with_encoder) {
  using Parts = AutoencoderKLWan::Parts;
  const auto config = AutoencoderKLWanConfig::from_config(loader.config("vae"));
  const Parts parts = with_encoder ? Parts::kEncoderAndDecoder : Parts::kDecoder;
  return std::make_shared<WanVae>(loader.load<AutoencoderKLWan>(
      "vae", loader.float32_options(),
      [&](const Weights& weights) {
        return std::make_shared<const AutoencoderKLWan>(weights, config, parts);
      },
      with_encoder ? ", to encode and decode" : ", to decode"));
}

}  // namespace t2v
