#include "pipelines/bench_timer.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/device.h"
#include "core/gpu_monitor.h"
#include "core/machine.h"

namespace t2v {
namespace {

constexpr int64_t kWarmUps = 2;
/// Short work is repeated until it took so long together, or so often.
constexpr double kEnoughSeconds = 1.0;
constexpr int64_t kMostRuns = 50;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Random, not zeros: a processor is faster with those.
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

Tensor fast_product(const Tensor& x, const Tensor& weight) {
  const bool onednn = x.is_cpu() && x.scalar_type() == at::kFloat && at::globalContext().hasMKLDNN();
  // at::linear takes float32 to MKL, which is slow on AMD's processors.
  return onednn ? at::mkldnn_linear(x.to_mkldnn(), weight) : at::linear(x, weight);
}

void BenchTimer::stop_if_asked() const {
  if (control_.stop != nullptr && *control_.stop) throw Stopped{};
}

void BenchTimer::time(BenchResult& result, const std::function<void()>& work) const {
  const GpuMonitor gpu(device_.is_cpu() ? -1 : device_.index());
  const auto run = [&] {
    stop_if_asked();
    const double begin = seconds_now();
    work();
    synchronize(device_);
    return seconds_now() - begin;
  };
  ::malloc_trim(0);  // what cases before this one left
  reset_peak_memory(device_);
  for (int64_t i = 0; i < kWarmUps; ++i) run();
  const std::optional<double> joules = gpu.joules();
  double total = 0;
  for (int64_t i = 0; i < repeats_ || (total < kEnoughSeconds && i < kMostRuns); ++i) {
    result.seconds.push_back(run());
    total += result.seconds.back();
  }
  const auto runs = static_cast<double>(result.seconds.size());
  const std::optional<double> joules_after = gpu.joules();
  if (joules && joules_after) result.joules = (*joules_after - *joules) / runs;
  result.megahertz = device_.is_cpu() ? processor_megahertz() : gpu.sm_clock();
  result.peak_bytes = static_cast<int64_t>(peak_memory(device_));
  result.median = quantile(result.seconds, 0.5);
  result.p10 = quantile(result.seconds, 0.1);
  result.p90 = quantile(result.seconds, 0.9);
  result.tflops = result.tflop / result.median;
}

double BenchTimer::matrix_product(at::ScalarType dtype) const {
  const int64_t side = device_.is_cpu() ? 1536 : 8192;
  const Tensor x = random_matrix(side, dtype, device_), weight = random_matrix(side, dtype, device_);
  BenchResult result;
  result.tflop = 2 * std::pow(static_cast<double>(side), 3) / 1e12;
  time(result, [&] { fast_product(x, weight); });
  // The fastest run: a ceiling.
  return result.tflop / *std::min_element(result.seconds.begin(), result.seconds.end());
}

}  // namespace t2v
