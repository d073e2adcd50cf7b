#pragma once

#include <optional>
#include <string>

#include "tensors/tensor.h"

namespace t2v {

/// softmax(scale * query key^T + bias) value for each head (Vaswani et al. 2017, arXiv:1706.03762).
/// query: [batch, queries, heads, head_dim]; key, value: [batch, keys, heads, head_dim], where a batch of 1
/// serves every query; bias: spread over [batch, heads, queries, keys]; scale: 1 / sqrt(head_dim) by default
/// -> like query. A NaN in a query may become zeros.
Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value,
                 const std::optional<Tensor>& bias = std::nullopt,
                 std::optional<double> scale = std::nullopt);

/// LibTorch's algorithm for attention() of these tensors: "flash", "efficient", "cudnn" or "math".
std::string attention_backend(const Tensor& query, const Tensor& key, const Tensor& value);

namespace reference {
/// attention() in matrix products, in float32 or float64.
Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value,
                 const std::optional<Tensor>& bias, std::optional<double> scale);
}  // namespace reference

}  // namespace t2v
