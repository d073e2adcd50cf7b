#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "families/wan/autoencoder_kl_wan_config.h"
#include "networks/autoencoders/wan_blocks.h"
#include "networks/autoencoders/wan_resample.h"
#include "networks/autoencoders/wan_residual_blocks.h"

namespace t2v {

/// Residual blocks and, but for the last level, an upsampler. (diffusers WanUpBlock.)
class WanUpBlock {
 public:
  WanUpBlock(const Weights& weights, int64_t in_channels, int64_t out_channels, int64_t num_resnets,
             Upsample upsample);

  /// x [t, in, h, w] -> [t or 2t, out or out / 2, h or 2h, w or 2w]; uses the memory of `x`.
  Tensor forward(Tensor x, FeatureCache& cache) const;

 private:
  std::vector<WanResidualBlock> resnets_;
  std::optional<WanUpsample> upsampler_;
};

/// Latents to pixels. (diffusers WanDecoder3d.)
class WanDecoder3d {
 public:
  /// Frames of `large_frame` bytes or more go through the rest of the decoder one by one, to save memory.
  /// Smaller frames go together, because a small convolution does not keep all threads busy.
  WanDecoder3d(const Weights& weights, const AutoencoderKLWanConfig& config, int64_t large_frame = 1 << 20);

  using UpBlock = std::variant<WanUpBlock, WanResidualUpBlock>;

  /// One latent frame [1, z_dim, h, w] -> its frames [t, out_channels, H, W], channels last; t is 1 for the
  /// first latent frame of a clip, then scale_factor_temporal.
  Tensor forward(const Tensor& x, FeatureCache& cache) const;

 private:
  /// Runs the blocks from `next_block` on and appends their output to `frames`.
  void finish(Tensor x, size_t next_block, FeatureCache& cache, std::vector<Tensor>& frames) const;

  WanCausalConv3d conv_in_;
  WanMidBlock mid_block_;
  std::vector<UpBlock> up_blocks_;
  ChannelRMSNorm norm_out_;
  WanCausalConv3d conv_out_;
  int64_t large_frame_;
};

}  // namespace t2v
