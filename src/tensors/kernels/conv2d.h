#pragma once

#include <optional>

#include "tensors/tensor.h"

namespace t2v {

/// 2-D convolution. frames: [n, in, h, w]; weight: [out, in, k, k]; bias: [out]; all of one dtype; `padding`
/// zeros on each side of a frame -> [n, out, h', w'], channels last if the frames are. On the CPU both are
/// fastest channels last. oneDNN reorders the weight at each call, because its layout depends on the size of
/// the frames.
Tensor conv2d(const Tensor& frames, const Tensor& weight, const std::optional<Tensor>& bias, int64_t stride,
              int64_t padding);

/// sum += conv2d() with a stride of 1, on the CPU in one pass over memory. sum: [n, out, h', w'], channels
/// last.
void add_conv2d(const Tensor& sum, const Tensor& frames, const Tensor& weight,
                const std::optional<Tensor>& bias, int64_t padding);

namespace reference {
Tensor conv2d(const Tensor& frames, const Tensor& weight, const std::optional<Tensor>& bias, int64_t stride,
              int64_t padding);
void add_conv2d(const Tensor& sum, const Tensor& frames, const Tensor& weight,
                const std::optional<Tensor>& bias, int64_t padding);
}  // namespace reference

}  // namespace t2v
