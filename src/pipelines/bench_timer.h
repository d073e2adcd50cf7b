#pragma once

#include <functional>
#include <string>

#include "core/tensor.h"
#include "t2v/bench.h"

namespace t2v {

/// Times work on one device.
class BenchTimer {
 public:
  /// At least `repeats` runs count. `control` outlives the timer.
  BenchTimer(at::Device device, int64_t repeats, const RunControl& control)
      : device_(device), repeats_(repeats), control_(control) {}

  /// Runs `work` twice and then again as often as it takes, and notes into `result` how long each of these
  /// took, and the memory, energy and clock. Stopped between runs.
  void time(BenchResult& result, const std::function<void()>& work) const;

  /// TFLOP/s of a large product of two square matrices.
  double matrix_product(at::ScalarType dtype) const;
  void stop_if_asked() const;

 private:
  at::Device device_;
  int64_t repeats_;
  const RunControl& control_;
};

/// The value below which `share` of them are, between two values by their distance; values is not empty.
double quantile(std::vector<double> values, double share);

/// y = x W^T by the fastest way that LibTorch has for it there. x: [rows, in], weight: [out, in].
Tensor fast_product(const Tensor& x, const Tensor& weight);

}  // namespace t2v
