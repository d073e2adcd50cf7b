#pragma once

#include <functional>
#include <optional>

#include "autoencoders/autoencoder_kl_wan_config.h"
#include "autoencoders/wan_decoder3d.h"
#include "autoencoders/wan_encoder3d.h"

namespace t2v {

/// The Wan2.1 VAE: video of 1 + 4k frames <-> latents of 1 + k frames of an eighth of the height and width
/// (or what the config says). (diffusers AutoencoderKLWan.)
class AutoencoderKLWan {
 public:
  /// What to load: rendering needs only the decoder, and then the rest costs neither time nor memory.
  enum class Parts { kDecoder, kEncoderAndDecoder };

  AutoencoderKLWan(const Weights& weights, AutoencoderKLWanConfig config, Parts parts = Parts::kDecoder);

  /// latents [1, z_dim, t, h, w] as the transformer makes them -> the range of the VAE, and back.
  Tensor denormalize(const Tensor& latents) const;
  Tensor normalize(const Tensor& latents) const;

  /// latents [1, z_dim, t, h, w], denormalized. Calls on_chunk with pixels [1, out_channels, n, H, W] in [-1,
  /// 1] as they are made: n is 1 for the first latent frame, then scale_factor_temporal. Memory does not grow
  /// with t. Error (kInput).
  void decode(const Tensor& latents, const std::function<void(const Tensor&)>& on_chunk) const;

  /// video [1, in_channels, 1 + scale_factor_temporal * k, H, W] in [-1, 1] -> the mean of the latents'
  /// distribution, [1, z_dim, 1 + k, h, w], not normalized. Error (kInput); (kBug) if the encoder was not
  /// loaded.
  Tensor encode(const Tensor& video) const;

  const AutoencoderKLWanConfig& config() const { return config_; }

 private:
  Tensor per_channel(const std::vector<double>& values, const Tensor& like) const;

  AutoencoderKLWanConfig config_;
  Conv2d post_quant_conv_;
  WanDecoder3d decoder_;
  std::optional<WanEncoder3d> encoder_;
  std::optional<Conv2d> quant_conv_;
};

}  // namespace t2v
