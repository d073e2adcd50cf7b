#pragma once

#include <functional>
#include <optional>

#include "families/wan/autoencoder_kl_wan_config.h"
#include "networks/autoencoders/vae_tiling.h"
#include "networks/autoencoders/video_source.h"
#include "networks/autoencoders/wan_decoder3d.h"
#include "networks/autoencoders/wan_encoder3d.h"

namespace t2v {

/// The Wan2.1 and Wan2.2 VAE: video of 1 + 4k frames <-> latents of 1 + k frames of an eighth (2.1) or a
/// sixteenth (2.2) of the height and width; a config may give other factors. (diffusers AutoencoderKLWan.)
class AutoencoderKLWan {
 public:
  /// The halves to load. Rendering from text needs the decoder alone.
  enum class Parts { kDecoder, kEncoderAndDecoder };

  AutoencoderKLWan(const Weights& weights, AutoencoderKLWanConfig config, Parts parts = Parts::kDecoder);

  /// latents [1, z_dim, t, h, w] as the transformer makes them -> the range of the VAE, and back.
  Tensor denormalize(const Tensor& latents) const;
  Tensor normalize(const Tensor& latents) const;

  /// latents [1, z_dim, t, h, w], denormalized. Calls on_chunk with pixels [1, 3, n, H, W] in [-1, 1] as they
  /// are made: n is 1 for the first latent frame, then scale_factor_temporal. Memory does not grow with t.
  /// Error (kInput).
  void decode(const Tensor& latents, const std::function<void(const Tensor&)>& on_chunk) const;
  /// Decodes in tiles, for a frame that is larger than a tile. Needs memory for one tile, and for all pixels
  /// of the clip on the CPU. Calls on_chunk after the last tile.
  void decode(const Tensor& latents, const VaeTiling& tiling,
              const std::function<void(const Tensor&)>& on_chunk) const;

  /// video of 1 + scale_factor_temporal * k frames, H and W multiples of scale_factor_spatial -> the mean
  /// (mode) of the latents' distribution, [1, z_dim, 1 + k, h, w], not normalized. Encodes the first frame,
  /// then scale_factor_temporal frames at a time. Memory beside the result does not grow with k. Error
  /// (kInput); (kBug) if the encoder was not loaded.
  Tensor encode(const VideoSource& video, const std::optional<VaeTiling>& tiling = {}) const;
  /// Encodes one tensor [1, 3, frames, H, W].
  Tensor encode(const Tensor& video, const std::optional<VaeTiling>& tiling = {}) const;

  const AutoencoderKLWanConfig& config() const { return config_; }

 private:
  Tensor per_channel(const std::vector<double>& values, const Tensor& like) const;
  /// Latents of a whole frame or a tile; on_frames gets [n, out_channels, H / patch, W / patch].
  void run_decoder(const Tensor& latents, const std::function<void(const Tensor&)>& on_frames) const;
  /// `area` in pixels / patch_size -> [1, z_dim, frames, h, w].
  Tensor run_encoder(const VideoSource& video, const TileArea& area,
                     const std::function<void()>& on_frame) const;
  void check_latents(const Tensor& latents) const;
  void check_tiling(const VaeTiling& tiling) const;

  AutoencoderKLWanConfig config_;
  Conv2d post_quant_conv_;
  WanDecoder3d decoder_;
  std::optional<WanEncoder3d> encoder_;
  std::optional<Conv2d> quant_conv_;
};

}  // namespace t2v
