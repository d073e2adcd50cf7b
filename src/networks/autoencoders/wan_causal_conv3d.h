#pragma once

#include <optional>
#include <vector>

#include "networks/autoencoders/conv2d.h"
#include "networks/autoencoders/feature_cache.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// A convolution over time and space that sees no later frame: zeros stand before the first frame, and around
/// each frame. (diffusers WanCausalConv3d.) Computed as one 2-D convolution for each step back in time, each
/// adding to the same result: no window of frames is ever copied together, and the zeros before the first
/// frame cost nothing.
class WanCausalConv3d {
 public:
  /// `weights` holds weight [out, in, steps, size, size] and bias [out]; padding keeps the size of a frame.
  WanCausalConv3d(const Weights& weights, int64_t in_channels, int64_t out_channels, int64_t steps,
                  int64_t size);
  /// From tensors of those shapes.
  WanCausalConv3d(const Tensor& weight, const Tensor& bias);

  /// frames [t, in, h, w], channels last -> [t, out, h, w]. The cache keeps the last frames for the next
  /// chunk.
  Tensor operator()(const Tensor& frames, FeatureCache& cache) const;
  /// The same, added to `sum` [t, out, h, w] in place.
  void add_to(const Tensor& sum, const Tensor& frames, FeatureCache& cache) const;

 private:
  void add_past(const Tensor& sum, const Tensor& frames, std::vector<Tensor>& past) const;

  /// taps_[k] convolves the frame k steps back; the bias is taps_[0]'s. None where all weights are zero, as
  /// in VAEs whose fine layers were trained to see each frame alone (tiny-world's).
  std::vector<std::optional<Conv2d>> taps_;
};

}  // namespace t2v
