#pragma once

#include <variant>
#include <vector>

#include "families/wan/autoencoder_kl_wan_config.h"
#include "networks/autoencoders/wan_blocks.h"
#include "networks/autoencoders/wan_resample.h"
#include "networks/autoencoders/wan_residual_blocks.h"

namespace t2v {

/// Pixels to the moments of the latents. (diffusers WanEncoder3d.)
class WanEncoder3d {
 public:
  WanEncoder3d(const Weights& weights, const AutoencoderKLWanConfig& config);

  /// The first frame of a clip, then scale_factor_temporal frames at a time: [t, in_channels, H, W], channels
  /// last -> one latent frame's [1, 2 * z_dim, h, w].
  Tensor forward(const Tensor& x, FeatureCache& cache) const;

 private:
  WanCausalConv3d conv_in_;
  /// Wan2.1 numbers its blocks through all levels; Wan2.2 has one for each level.
  std::vector<std::variant<WanResidualBlock, WanDownsample, WanResidualDownBlock>> down_blocks_;
  WanMidBlock mid_block_;
  ChannelRMSNorm norm_out_;
  WanCausalConv3d conv_out_;
};

}  // namespace t2v
