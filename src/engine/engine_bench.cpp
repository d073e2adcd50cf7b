#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/headeronly/version.h>

#include "core/gpu_monitor.h"
#include "core/log.h"
#include "engine/bench/bench_run.h"
#include "engine/engine_errors.h"
#include "engine/engine_functions.h"
#include "engine/interface/sources.h"
#include "engine/request_threads.h"
#include "tensors/device.h"

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

BenchSetting setting_of(const EngineBench& bench) {
  const at::Device device = parse_device(bench.named.machine.device);
  const auto clip_of = [&](CheckedRequest request) {
    if (bench.request.dtype.empty()) request.machine.dtype = device.is_cpu() ? "float32" : "bfloat16";
    return BenchClip{request, Checkpoint::open(sources_of(request.model))};
  };
  const BenchClip named = clip_of(bench.named);
  return {.placement = {parse_dtype(named.request.machine.dtype), device},
          .repeats = bench.request.repeats,
          .named = named,
          .bundled = clip_of(bench.bundled)};
}

bool is_asked(const BenchSpec& spec, const BenchRequest& request) {
  return std::find(request.cases.begin(), request.cases.end(), spec.name) != request.cases.end();
}

BenchPlan plan(const EngineBench& bench) {
  const BenchSetting setting = setting_of(bench);
  const at::Device device = setting.placement.device;
  BenchPlan plan{.device = device.str(),
                 .device_name = device_name(device),
                 .dtype = setting.named.request.machine.dtype,
                 .threads = at::get_num_threads(),
                 .repeats = setting.repeats,
                 .memory_available = static_cast<int64_t>(available_memory(device)),
                 .folder = bench_folder(),
                 .disk_free = static_cast<int64_t>(bench_room()),
                 .cases = {}};
  for (const BenchSpec& spec : choose_bench_specs(bench.request.cases, device.is_cpu())) {
    const CasePlan planned = plan_case(spec, setting);
    plan.cases.push_back({.name = spec.name,
                          .description = describe(spec),
                          .note = planned.note,
                          .tokens = planned.tokens,
                          .memory = static_cast<int64_t>(planned.memory),
                          .disk = static_cast<int64_t>(planned.disk),
                          .refusal = planned.refusal,
                          .asked = is_asked(spec, bench.request)});
  }
  return plan;
}

BenchReport run(const EngineBench& bench, const RunControl& control,
                const std::function<void(const BenchResult&)>& on_result) {
  const c10::InferenceMode inference_mode;
  const BenchSetting setting = setting_of(bench);
  const at::Device device = setting.placement.device;
  const std::vector<BenchSpec> specs = choose_bench_specs(bench.request.cases, device.is_cpu());
  BenchReport report{.t2v = version(),
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
  BenchRunner runner(setting, calibration, control);
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
      if (error.code() != ErrorCode::kResource && error.code() != ErrorCode::kOutput) throw;
      const bool asked = is_asked(specs[i], bench.request);
      log_warning((asked ? "" : "skipped: ") + std::string(error.what()));
      report.failures.push_back({.name = specs[i].name, .reason = error.what(), .asked = asked});
    }
  }
  report.ceilings = runner.ceilings();
  calibration.store();
  return report;
}

}  // namespace

BenchFunctions bench_functions() {
  return {.run =
              [](const EngineBench& bench, const RunControl& control,
                 const std::function<void(const BenchResult&)>& on_result) {
                const RequestThreads threads(bench.named.machine.threads);
                return with_errors_of("timing", [&] { return run(bench, control, on_result); });
              },
          .plan =
              [](const EngineBench& bench) {
                const RequestThreads threads(bench.named.machine.threads);
                return with_errors_of("planning", [&] { return plan(bench); });
              }};
}

}  // namespace t2v
