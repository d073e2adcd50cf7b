#pragma once

#include <optional>

#include "tensors/tensor.h"

namespace t2v {

/// The function that a linear layer applies to its product: none, GELU, or GELU in its tanh form (Hendrycks &
/// Gimpel 2016, arXiv:1606.08415).
enum class Activation : int64_t { kNone, kGelu, kGeluTanh };

/// activation(x weight^T + bias). x: [..., in]; weight: [out, in]; bias: [out]; all of one dtype -> [...,
/// out]
Tensor linear(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias,
              Activation activation);

namespace reference {
/// linear() by at::linear and at::gelu. `activation` is an integer, because the dispatcher has no enums.
Tensor linear(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias, int64_t activation);
}  // namespace reference

}  // namespace t2v
