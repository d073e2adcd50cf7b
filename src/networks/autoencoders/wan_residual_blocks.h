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

/// Averages boxes of `steps` frames and `size` x `size` pixels, and so many neighbouring channels that
/// `out_channels` are left: x [t, c, h, w], channels last -> [t / steps, out_channels, h / size, w / size].
/// Where t is no multiple of `steps`, frames of zeros come before the first. (diffusers AvgDown3D.)
Tensor average_down(Tensor x, int64_t out_channels, int64_t steps, int64_t size);

/// sum += x with its values spread over boxes of `steps` frames and 2x2 pixels, each repeated until `sum` is
/// full. x is [t, c, h, w], `sum` [steps * t, out, 2h, 2w], or [1, out, 2h, 2w], the last frame of
/// its box, if `last_step_only`; both channels last. (diffusers DupUp3D.)
void add_repeated(const Tensor& sum, const Tensor& x, int64_t steps, bool last_step_only);

}  // namespace t2v
