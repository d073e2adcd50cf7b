#include "t2v/bench.h"

#include <chrono>

#include "api/data_folder.h"
#include "api/engine_library.h"
#include "engine/interface/bench_cases.h"

namespace t2v {
namespace {

/// The checked request for a clip of `model`.
CheckedRequest clip_of(const BenchRequest& request, const std::filesystem::path& model) {
  GenerateRequest clip;
  clip.prompt = "a red ball moves to the right over green grass";
  clip.outputs.output = "/dev/null";
  clip.sampling.seed = 1;
  clip.model.model = model;
  clip.machine.device = request.device;
  clip.machine.threads = request.threads;
  if (!request.dtype.empty()) clip.machine.dtype = request.dtype;
  return check(clip);
}

/// Everything that can be refused before the engine is loaded, is.
EngineBench checked(const BenchRequest& request) {
  check_bench_words(request.cases);
  return {request, clip_of(request, request.model), clip_of(request, bundled_model()), 0};
}

}  // namespace

std::vector<BenchCase> bench_cases() {
  std::vector<BenchCase> cases;
  for (const BenchSpec& spec : bench_specs())
    cases.push_back({.name = spec.name, .description = describe(spec), .on_cpu = spec.on_cpu});
  return cases;
}

BenchPlan plan_bench(const BenchRequest& request) {
  const EngineBench task = checked(request);
  return engine("planning").bench.plan(task);
}

BenchReport bench(const BenchRequest& request, const RunControl& control,
                  const std::function<void(const BenchResult&)>& on_result) {
  EngineBench task = checked(request);
  const auto begin = std::chrono::steady_clock::now();
  const BenchFunctions& functions = engine("timing this machine").bench;
  task.start_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return functions.run(task, control, on_result);
}

}  // namespace t2v
