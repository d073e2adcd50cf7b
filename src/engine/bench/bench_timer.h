#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "t2v/bench.h"
#include "tensors/tensor.h"

namespace t2v {

/// Sensors of a device. A sensor returns nothing if the device does not have it.
struct DeviceReadings {
  std::function<std::optional<double>()>
      joules;  ///< energy used since a fixed moment: only differences have a meaning
  std::function<std::optional<int64_t>()> megahertz;

  /// The sensors of the GPU's driver; on a CPU the clock alone.
  static DeviceReadings of(at::Device device);
};

/// Times work on one device.
class BenchTimer {
 public:
  /// Times at least `repeats` runs of each work. `control` has to outlive the timer.
  BenchTimer(at::Device device, int64_t repeats, const RunControl& control)
      : BenchTimer(device, repeats, control, DeviceReadings::of(device)) {}
  BenchTimer(at::Device device, int64_t repeats, const RunControl& control, DeviceReadings readings)
      : device_(device), repeats_(repeats), control_(control), readings_(std::move(readings)) {}

  /// Runs `work` twice to warm up, then times runs of it. Writes times, memory, energy and clock into
  /// `result`. `prepare` runs before each run and is not timed. Throws Stopped between runs.
  void time(BenchResult& result, const std::function<void()>& work,
            const std::function<void()>& prepare = {}) const;

  void stop_if_asked() const;

 private:
  at::Device device_;
  int64_t repeats_;
  const RunControl& control_;
  DeviceReadings readings_;
};

/// Multiplies the measurements of a part by `times`: the whole is that many parts.
void stand_for(double times, BenchResult& result);

/// Speed of large matrix products on a device in TFLOP/s, for each dtype: the fastest of several sizes and
/// runs. It is measured again and again, because other processes may slow the machine down.
class BenchCeiling {
 public:
  explicit BenchCeiling(at::Device device) : device_(device) {}

  /// Measures now, in about a second.
  double measure(at::ScalarType dtype);
  /// The last measurement; measures if there is none.
  double last(at::ScalarType dtype);
  /// The ceiling for work that reached `tflops`; `before` is last() from before the work. Measures again a
  /// few times while the work seems faster than the ceiling. It can stay faster.
  double around(at::ScalarType dtype, double before, double tflops);

  /// The highest measurement of each dtype.
  std::vector<std::pair<std::string, double>> highest() const;

 private:
  at::Device device_;
  std::map<at::ScalarType, double> last_, highest_;
};

/// The quantile `share` of values that are not empty, interpolated between neighbours.
double quantile(std::vector<double> values, double share);

/// A function that computes x W^T in the fastest way that LibTorch has on the device. x: [rows, in]; weight:
/// [out, in].
std::function<void()> fast_product(const Tensor& x, const Tensor& weight);

}  // namespace t2v
