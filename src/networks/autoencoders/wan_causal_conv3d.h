#pragma once

#include "networks/autoencoders/feature_cache.h"
#include "tensors/tensor.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// A convolution over time and space that sees no later frame. (diffusers WanCausalConv3d.)
class WanCausalConv3d {
 public:
  /// Loads `weight` [out, in, steps, size, size] and `bias` [out]. Error (kInput).
  WanCausalConv3d(const Weights& weights, int64_t in_channels, int64_t out_channels, int64_t steps,
                  int64_t size);
  /// Takes tensors of the same shapes.
  WanCausalConv3d(const Tensor& weight, const Tensor& bias);

  /// frames: [t, in, h, w], channels last -> [t, out, h, w], channels last. The cache keeps the last frames
  /// for the next chunk.
  Tensor operator()(const Tensor& frames, FeatureCache& cache) const;
  /// sum += (*this)(frames, cache). sum: [t, out, h, w], channels last
  void add_to(const Tensor& sum, const Tensor& frames, FeatureCache& cache) const;

 private:
  /// Adds `frames` to the past frames, and drops frames that no later frame reads.
  void remember(const Tensor& frames, std::vector<Tensor>& past) const;

  Tensor weight_;  ///< [out, in, steps, size, size], ordered by causal_conv3d_weight()
  Tensor bias_;    ///< [out]
};

}  // namespace t2v
