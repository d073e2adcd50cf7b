#pragma once

#include <optional>

#include "tensors/tensor.h"

namespace t2v {

/// (x - mean) / sqrt(variance + eps) * weight + bias over the last dimension (Ba et al. 2016,
/// arXiv:1607.06450). x: [..., dim], any dtype; weight, bias: [dim] in float32, or both left out -> the shape
/// of x in float32.
Tensor layer_norm(const Tensor& x, const std::optional<Tensor>& weight, const std::optional<Tensor>& bias,
                  double eps);

namespace reference {
Tensor layer_norm(const Tensor& x, const std::optional<Tensor>& weight, const std::optional<Tensor>& bias,
                  double eps);
}  // namespace reference

}  // namespace t2v
