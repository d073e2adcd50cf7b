#pragma once

#include <optional>

#include "tensors/tensor.h"

namespace t2v {

/// 3-D convolution that sees no later frame. The number and the size of the frames stay: zeros are put around
/// each frame and before the first one. frames: [t, in, h, w], channels last; past: the frames before
/// them, oldest first, each [1, in, h, w], at most steps - 1; weight: [out, in, steps, k, k] with an odd k;
/// bias: [out]; all of one dtype
/// -> [t, out, h, w], channels last.
Tensor causal_conv3d(const Tensor& frames, at::TensorList past, const Tensor& weight,
                     const std::optional<Tensor>& bias);

/// sum += causal_conv3d(). sum: [t, out, h, w], channels last.
void add_causal_conv3d(const Tensor& sum, const Tensor& frames, at::TensorList past, const Tensor& weight,
                       const std::optional<Tensor>& bias);

/// The weight with the same shape, in the fastest order in memory for causal_conv3d(): for each step in time
/// a 2-D kernel, channels last.
Tensor causal_conv3d_weight(const Tensor& weight);

namespace reference {
/// causal_conv3d() by at::conv3d.
Tensor causal_conv3d(const Tensor& frames, at::TensorList past, const Tensor& weight,
                     const std::optional<Tensor>& bias);
void add_causal_conv3d(const Tensor& sum, const Tensor& frames, at::TensorList past, const Tensor& weight,
                       const std::optional<Tensor>& bias);
}  // namespace reference

}  // namespace t2v
