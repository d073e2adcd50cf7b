#pragma once

#include <optional>

#include "tensors/kernels/linear.h"
#include "tensors/tensor.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// y = x W^T + b over the last dimension, in the dtype of the weights. float8_e4m3fn weights are converted at
/// each use.
class Linear {
 public:
  enum class Bias { kNo, kYes };

  /// Loads `weight` [out_features, in_features] and, with a bias, `bias` [out_features]. Error (kInput).
  Linear(const Weights& weights, int64_t in_features, int64_t out_features, Bias bias = Bias::kYes);
  /// From tensors that are not stored as a matrix, such as a convolution whose stride is its kernel.
  Linear(const Tensor& weight, std::optional<Tensor> bias);

  /// x: [..., in_features] -> activation(y): [..., out_features]
  Tensor operator()(const Tensor& x, Activation activation = Activation::kNone) const;
  Tensor gelu(const Tensor& x) const { return (*this)(x, Activation::kGelu); }
  Tensor gelu_tanh(const Tensor& x) const { return (*this)(x, Activation::kGeluTanh); }

  at::ScalarType dtype() const { return weight_.dtype; }
  at::Device device() const { return weight_.values.device(); }

 private:
  Matrix weight_;
  std::optional<Tensor> bias_;
};

}  // namespace t2v
