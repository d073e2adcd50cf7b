#pragma once

#include <optional>

#include "tensors/tensor.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// Layer normalisation over the last dimension, computed and returned in float32 whatever the input's dtype
/// (diffusers' FP32LayerNorm before its last cast).
class LayerNorm {
 public:
  /// Without weight and bias.
  LayerNorm(int64_t dim, double eps);
  /// Loads `weight` and `bias`, each [dim]. Error (kInput).
  LayerNorm(const Weights& weights, int64_t dim, double eps);

  /// x: [..., dim] -> the same shape in float32
  Tensor operator()(const Tensor& x) const;

 private:
  int64_t dim_;
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

}  // namespace t2v
