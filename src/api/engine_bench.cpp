#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/headeronly/version.h>

#include "api/engine.h"
#include "api/engine_errors.h"
#include "api/sources.h"
#include "core/device.h"
#include "core/gpu_monitor.h"
#include "core/log.h"
#include "pipelines/bench_run.h"

namespace t2v {
namespace {

/// "580.65.06, CUDA 13.0, cuDNN 9.12"; "" on a CPU.
std::string driver_of(at::Device device) {
  if (device.is_cpu()) return "";
  const at::CUDAHooksInterface& cuda = at::detail::getCUDAHooks();
  const long runtime = cuda.versionCUDART(), cudnn = cuda.versionCuDNN();
  return GpuMonitor(device.index()).driver_version() + ", CUDA " + std::to_string(runtime / 1000) + "." +
         std::to_string(runtime % 1000 / 10) + ", cuDNN " + std::to_string(cudnn);
}

void run(const EngineBench& bench, const RunControl& control,
         const std::function<void(const BenchResult&)>& on_result, BenchReport& report) {
  const c10::InferenceMode inference_mode;
  GenerateRequest clip = bench.clip;
  if (clip.threads > 0) at::set_num_threads(static_cast<int>(clip.threads));
  const at::Device device = parse_device(clip.device);
  if (bench.request.dtype.empty()) clip.dtype = device.is_cpu() ? "float32" : "bfloat16";
  const std::vector<BenchSpec> specs = choose_bench_specs(bench.request.cases, device.is_cpu());

  report = {.t2v = version(),
            .libtorch = TORCH_VERSION,
            .driver = driver_of(device),
            .device = device.str(),
            .device_name = device_name(device),
            .threads = at::get_num_threads(),
            .ceilings = {},
            .results = {},
            .failures = {}};
  Calibration calibration = Calibration::of(report.device_name);
  calibration.add({.phase = "start", .dtype = ""}, bench.start_seconds);
  BenchRunner runner({.placement = {parse_dtype(clip.dtype), device},
                      .repeats = bench.request.repeats,
                      .clip = clip,
                      .checkpoint = Checkpoint::open(sources_of(clip))},
                     calibration, control);
  report.ceilings = runner.ceilings();
  for (size_t i = 0; i < specs.size(); ++i) {
    if (control.on_event) {
      control.on_event({.kind = Event::Kind::kBench,
                        .done = static_cast<int64_t>(i),
                        .total = static_cast<int64_t>(specs.size()),
                        .detail = specs[i].name});
    }
    try {
      report.results.push_back(with_errors_of(specs[i].name, [&] { return runner.run(specs[i]); }));
      if (on_result) on_result(report.results.back());
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kResource) throw;
      log_warning(error.what());
      report.failures.push_back({.name = specs[i].name, .reason = error.what()});
    }
  }
  calibration.store();
}

}  // namespace

extern "C" void t2v_engine_bench_cases(std::vector<BenchCase>& cases) {
  for (const BenchSpec& spec : bench_specs()) {
    cases.push_back({.name = spec.name, .description = describe(spec), .on_cpu = spec.on_cpu});
  }
}

extern "C" void t2v_engine_bench(const EngineBench& bench, const RunControl& control,
                                 const std::function<void(const BenchResult&)>& on_result,
                                 BenchReport& report) {
  with_errors_of("timing", [&] { run(bench, control, on_result, report); });
}

}  // namespace t2v
