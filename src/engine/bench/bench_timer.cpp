#include "engine/bench/bench_timer.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "core/gpu_monitor.h"
#include "core/machine.h"
#include "tensors/device.h"
#include "tensors/kernels/processor.h"

namespace t2v {
namespace {

constexpr int64_t kWarmUps = 2;
/// Short work is repeated until all runs together take this time, or until this number of runs.
constexpr double kEnoughSeconds = 1.0;
constexpr int64_t kMostRuns = 50;
/// Runs of each size of the products of the ceiling.
constexpr int64_t kCeilingRuns = 3;
constexpr double kCeilingSeconds = 0.2;
/// The most repeated measurements of the ceiling, if work was faster than the ceiling.
constexpr int kMoreCeilings = 3;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double seconds_of(at::Device device, const std::function<void()>& work) {
  const double begin = seconds_now();
  work();
  synchronize(device);
  return seconds_now() - begin;
}

/// Random values, because a processor multiplies zeros faster.
Tensor random_matrix(int64_t side, at::ScalarType dtype, at::Device device) {
  return at::empty({side, side}, at::device(device).dtype(dtype)).uniform_(-1, 1);
}

}  // namespace

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double position = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, values.size() - 1);
  const double fraction = position - static_cast<double>(below);
  return values[below] + fraction * (values[above] - values[below]);
}

std::function<void()> fast_product(const Tensor& x, const Tensor& weight) {
  const bool onednn = x.is_cpu() && x.scalar_type() == at::kFloat && processor().has_onednn(at::kFloat);
  if (!onednn) return [=] { at::linear(x, weight); };
  // at::linear takes float32 to MKL, which is slow on AMD's processors.
  return [x = x.to_mkldnn(), weight = weight.to_mkldnn()] { at::mkldnn_linear(x, weight); };
}

DeviceReadings DeviceReadings::of(at::Device device) {
  if (device.is_cpu()) return {[] { return std::nullopt; }, processor_megahertz};
  const auto gpu = std::make_shared<const GpuMonitor>(device.index());
  return {[gpu] { return gpu->joules(); }, [gpu] { return gpu->sm_clock(); }};
}

void BenchTimer::stop_if_asked() const {
  if (control_.stop != nullptr && *control_.stop) throw Stopped{};
}

void BenchTimer::time(BenchResult& result, const std::function<void()>& work,
                      const std::function<void()>& prepare) const {
  const auto run = [&] {
    stop_if_asked();
    if (prepare) prepare();
    return seconds_of(device_, work);
  };
  ::malloc_trim(0);  // memory that earlier cases freed
  reset_peak_memory(device_);
  for (int64_t i = 0; i < kWarmUps; ++i) run();
  const std::optional<double> joules = readings_.joules();
  double total = 0;
  for (int64_t i = 0; i < repeats_ || (total < kEnoughSeconds && i < kMostRuns); ++i) {
    result.times.runs.push_back(run());
    total += result.times.runs.back();
  }
  const auto runs = static_cast<double>(result.times.runs.size());
  const std::optional<double> joules_after = readings_.joules();
  // A driver that was loaded again counts from 0.
  if (joules && joules_after && *joules_after >= *joules) result.joules = (*joules_after - *joules) / runs;
  result.megahertz = readings_.megahertz();
  result.peak_bytes = static_cast<int64_t>(peak_memory(device_));
  result.times.median = quantile(result.times.runs, 0.5);
  result.times.p10 = quantile(result.times.runs, 0.1);
  result.times.p90 = quantile(result.times.runs, 0.9);
  result.rate.tflops = result.tflop / result.times.median;
}

void stand_for(double times, BenchResult& result) {
  result.tflop *= times;
  for (double* seconds : {&result.times.median, &result.times.p10, &result.times.p90}) *seconds *= times;
  for (double& seconds : result.times.runs) seconds *= times;
}

double BenchCeiling::measure(at::ScalarType dtype) {
  const std::vector<int64_t> sides =
      device_.is_cpu() ? std::vector<int64_t>{1024, 2048} : std::vector<int64_t>{4096, 8192};
  double fastest = 0;
  for (const int64_t side : sides) {
    const auto product =
        fast_product(random_matrix(side, dtype, device_), random_matrix(side, dtype, device_));
    const double tflop = 2 * std::pow(static_cast<double>(side), 3) / 1e12;
    double total = 0;
    for (int64_t i = 0; i < kCeilingRuns || (total < kCeilingSeconds && i < kMostRuns); ++i) {
      const double seconds = seconds_of(device_, product);
      fastest = std::max(fastest, tflop / seconds);
      total += seconds;
    }
  }
  last_[dtype] = fastest;
  highest_[dtype] = std::max(highest_[dtype], fastest);
  return fastest;
}

double BenchCeiling::last(at::ScalarType dtype) {
  return last_.contains(dtype) ? last_.at(dtype) : measure(dtype);
}

double BenchCeiling::around(at::ScalarType dtype, double before, double tflops) {
  double ceiling = std::max(before, measure(dtype));
  for (int again = 0; again < kMoreCeilings && ceiling < tflops; ++again)
    ceiling = std::max(ceiling, measure(dtype));
  return ceiling;
}

std::vector<std::pair<std::string, double>> BenchCeiling::highest() const {
  std::vector<std::pair<std::string, double>> named;
  for (const auto& [dtype, tflops] : highest_) named.emplace_back(dtype_name(dtype), tflops);
  return named;
}

}  // namespace t2v
