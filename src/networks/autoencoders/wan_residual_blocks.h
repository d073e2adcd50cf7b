#pragma once

#include <optional>
#include <vector>

#include "networks/autoencoders/wan_blocks.h"
#include "networks/autoencoders/wan_resample.h"

namespace t2v {

/// A level of the Wan2.2 encoder: residual blocks and, but for the last level, a downsampler, beside a
/// shortcut that averages. (diffusers WanResidualDownBlock.)
class WanResidualDownBlock {
 public:
  /// The dimensions that a level halves for the next level. `temporal` is set only with `spatial`.
  struct Downsample {
    bool spatial, temporal;
  };
  WanResidualDownBlock(const Weights& weights, int64_t in_channels, int64_t out_channels, int64_t num_resnets,
                       Downsample downsample);

  /// x [t, in, h, w], channels last -> [t or t / 2, out, h or h / 2, w or w / 2]; t as WanDownsample takes
  /// it.
  Tensor forward(const Tensor& x, FeatureCache& cache) const;

 private:
  std::vector<WanResidualBlock> resnets_;
  std::optional<WanDownsample> downsampler_;
  int64_t out_channels_;
  Downsample downsample_;
};

/// A level of the Wan2.2 decoder: residual blocks and, but for the last level, an upsampler beside a shortcut
/// that repeats. (diffusers WanResidualUpBlock.)
class WanResidualUpBlock {
 public:
  WanResidualUpBlock(const Weights& weights, int64_t in_channels, int64_t out_channels, int64_t num_resnets,
                     Upsample upsample);

  /// x [t, in, h, w], channels last -> [t or 2t, out, h or 2h, w or 2w]; may use the memory of `x`.
  Tensor forward(Tensor x, FeatureCache& cache) const;

 private:
  std::vector<WanResidualBlock> resnets_;
  std::optional<WanUpsample> upsampler_;
  bool temporal_;
};

/// Moves boxes of `steps` frames and `size` x `size` pixels into channels, and averages neighbouring channels
/// until `out_channels` are left: x [t, c, h, w], channels last -> [t / steps, out_channels, h / size, w /
/// size]. Zero frames before the first fill t up to a multiple of `steps`. (diffusers AvgDown3D.)
Tensor average_down(Tensor x, int64_t out_channels, int64_t steps, int64_t size);

/// Adds to `sum` the channels of x, repeated and moved into boxes of `steps` frames and 2x2 pixels. x: [t, c,
/// h, w]; sum: [steps * t, out, 2h, 2w], or with `last_step_only` the last frame of the box alone, [1, out,
/// 2h, 2w]; both channels last. (diffusers DupUp3D.)
void add_repeated(const Tensor& sum, const Tensor& x, int64_t steps, bool last_step_only);

}  // namespace t2v
