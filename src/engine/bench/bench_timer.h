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

/// What a device tells of itself; empty where it does not.
struct DeviceReadings {
  std::function<std::optional<double>()> joules;  ///< used since some moment: differences count
  std::function<std::optional<int64_t>()> megahertz;

  /// Of the GPU's driver; on a CPU the clock alone.
  static DeviceReadings of(at::Device device);
};

/// Times work on one device.
class BenchTimer {
 public:
  /// At least `repeats` runs count. `control` outlives the timer.
  BenchTimer(at::Device device, int64_t repeats, const RunControl& control)
      : BenchTimer(device, repeats, control, DeviceReadings::of(device)) {}
  BenchTimer(at::Device device, int64_t repeats, const RunControl& control, DeviceReadings readings)
      : device_(device), repeats_(repeats), control_(control), readings_(std::move(readings)) {}

  /// Runs `work` twice and then again as often as it takes, and notes into `result` how long each of these
  /// took, and the memory, energy and clock. `prepare` goes before each and is not timed. Stopped between
  /// runs.
  void time(BenchResult& result, const std::function<void()>& work,
            const std::function<void()>& prepare = {}) const;

  void stop_if_asked() const;

 private:
  at::Device device_;
  int64_t repeats_;
  const RunControl& control_;
  DeviceReadings readings_;
};

/// Makes what was measured of a part what the whole takes, which is so many times as much.
void stand_for(double times, BenchResult& result);

/// What large matrix products reach on a device, in TFLOP/s, each dtype on its own: the fastest of several
/// sizes and runs, timed again and again, since others may use the machine.
class BenchCeiling {
 public:
  explicit BenchCeiling(at::Device device) : device_(device) {}

  /// Now. Takes about a second.
  double measure(at::ScalarType dtype);
  /// What was measured last; measures if nothing was.
  double last(at::ScalarType dtype);
  /// The ceiling of work that reached `tflops` between last() before it and now. Measured again a few times
  /// where that is more, which it can remain.
  double around(at::ScalarType dtype, double before, double tflops);

  /// The highest for each dtype.
  std::vector<std::pair<std::string, double>> highest() const;

 private:
  at::Device device_;
  std::map<at::ScalarType, double> last_, highest_;
};

/// The value below which `share` of them are, between two values by their distance; values is not empty.
double quantile(std::vector<double> values, double share);

/// y = x W^T by the fastest way that LibTorch has for it there, to be computed again and again. x: [rows,
/// in], weight: [out, in].
std::function<void()> fast_product(const Tensor& x, const Tensor& weight);

}  // namespace t2v
