#pragma once

#include <array>
#include <optional>

#include "tensors/tensor.h"

namespace t2v {

/// A 2-D convolution of channels-last frames whose result can be added to a tensor in the same pass over
/// memory. The weight stays as it is stored: the layout that oneDNN computes in depends on the size of the
/// frames, reordering from the plain one is a few per cent of the smallest convolutions, and from a wrong
/// guess several times the convolution.
class Conv2d {
 public:
  /// weight [out, in, k, k]; bias [out]; `padding` zeros on each side.
  Conv2d(const Tensor& weight, std::optional<Tensor> bias, int64_t padding, int64_t stride = 1);

  /// [n, in, h, w] -> [n, out, h', w'], channels last.
  Tensor operator()(const Tensor& x) const;
  /// sum += conv(x). `sum` is [n, out, h', w'], channels last.
  void add_to(const Tensor& sum, const Tensor& x) const;

 private:
  Tensor weight_;
  std::optional<Tensor> bias_;
  std::array<int64_t, 2> padding_, stride_;
};

}  // namespace t2v
