#pragma once

#include <optional>

#include "networks/autoencoders/conv2d.h"
#include "networks/autoencoders/feature_cache.h"
#include "networks/autoencoders/wan_causal_conv3d.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// The dimensions that a level of the decoder doubles for the next level.
enum class Upsample { kNone, kSpace, kSpaceAndTime };

/// Doubles height and width (nearest, then a 3x3 convolution) and, if temporal, the number of frames: every
/// frame but the clip's first becomes two. (diffusers WanResample, upsample2d and upsample3d.)
class WanUpsample {
 public:
  WanUpsample(const Weights& weights, int64_t channels, int64_t out_channels, bool temporal);

  /// x [t, channels, h, w], channels last -> [t or 2t, out_channels, 2h, 2w].
  Tensor forward(const Tensor& x, FeatureCache& cache) const;

 private:
  void upsample(const Tensor& x, const Tensor& output) const;

  std::optional<WanCausalConv3d> even_,
      odd_;  ///< the halves of time_conv: the first and second frame of each pair
  Conv2d phases_;
  int64_t out_channels_;
};

/// Halves height and width (a 3x3 convolution with stride 2 that looks right and down) and, if temporal, the
/// number of frames after the clip's first. (diffusers WanResample, downsample2d and downsample3d.)
class WanDownsample {
 public:
  WanDownsample(const Weights& weights, int64_t channels, bool temporal);

  /// x [t, channels, h, w], channels last, h and w even -> [t or t / 2, channels, h / 2, w / 2]; t is 1 in
  /// the first chunk, and even after it if temporal.
  Tensor forward(const Tensor& x, FeatureCache& cache) const;

 private:
  Conv2d resample_;
  std::optional<Tensor> time_weight_;  ///< [channels, 3 * channels]: each frame pair's oldest frame first
  Tensor time_bias_;
};

}  // namespace t2v
