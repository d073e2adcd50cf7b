#pragma once

#include <optional>
#include <utility>

#include "tensors/kernels/conv2d.h"

namespace t2v {

/// A 2-D convolution of frames.
class Conv2d {
 public:
  /// weight: [out, in, k, k]; bias: [out]; `padding` zeros on each side.
  Conv2d(const Tensor& weight, std::optional<Tensor> bias, int64_t padding, int64_t stride = 1)
      : weight_(weight.contiguous(at::MemoryFormat::ChannelsLast)),
        bias_(std::move(bias)),
        padding_(padding),
        stride_(stride) {}

  /// x: [n, in, h, w], channels last -> [n, out, h', w'], channels last
  Tensor operator()(const Tensor& x) const { return conv2d(x, weight_, bias_, stride_, padding_); }
  /// sum += (*this)(x), for a stride of 1. sum: [n, out, h', w'], channels last
  void add_to(const Tensor& sum, const Tensor& x) const { add_conv2d(sum, x, weight_, bias_, padding_); }

 private:
  Tensor weight_;
  std::optional<Tensor> bias_;
  int64_t padding_, stride_;
};

}  // namespace t2v
