#pragma once

#include <optional>

#include "tensors/tensor.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// Layer normalisation over the last dimension, computed and returned in float32 for every dtype of input
/// (diffusers' FP32LayerNorm before its last cast).
class LayerNorm {
 public:
  /// Without weight and bias.
  explicit LayerNorm(double eps) : eps_(eps) {}
  /// Loads `weight` and `bias`, each [dim]. Error (kInput).
  LayerNorm(const Weights& weights, int64_t dim, double eps);

  /// x: [..., dim] -> the same shape in float32
  Tensor operator()(const Tensor& x) const;

 private:
  double eps_;
  std::optional<Tensor> weight_, bias_;
};

/// x / sqrt(mean(x^2) + eps) * weight over the last dimension; float32 inside, the input's dtype outside.
class RMSNorm {
 public:
  /// Loads `weight` [dim]. Error (kInput).
  RMSNorm(const Weights& weights, int64_t dim, double eps);

  /// x: [..., dim] -> the same shape and dtype
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor weight_;
  double eps_;
};

/// RMS normalisation over the channels of each pixel, by channel_rms_norm().
class ChannelRMSNorm {
 public:
  /// Loads `gamma`, stored with `dimensions` axes ; all but the first have size 1. Error (kInput).
  ChannelRMSNorm(const Weights& weights, int64_t channels, int64_t dimensions);

  /// x: [n, channels, h, w], channels last -> the same
  Tensor operator()(const Tensor& x) const;
  /// The same, then SiLU.
  Tensor with_silu(const Tensor& x) const;

 private:
  Tensor gamma_;  ///< [channels]
};

}  // namespace t2v
