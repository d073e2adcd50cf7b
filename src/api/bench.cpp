#include "t2v/bench.h"

#include <chrono>

#include "api/engine.h"
#include "api/engine_library.h"

namespace t2v {
namespace {

template <typename Entry>
Entry* entry_of(const char* name) {
  return reinterpret_cast<Entry*>(engine_entry(name));
}

}  // namespace

std::vector<BenchCase> bench_cases() {
  std::vector<BenchCase> cases;
  entry_of<decltype(t2v_engine_bench_cases)>(kEngineBenchCases)(cases);
  return cases;
}

BenchReport bench(const BenchRequest& request, const RunControl& control,
                  const std::function<void(const BenchResult&)>& on_result) {
  GenerateRequest clip;
  clip.prompt = "a red ball moves to the right over green grass";
  clip.output = "/dev/null";
  clip.seed = 1;
  clip.model = request.model;
  clip.device = request.device;
  clip.threads = request.threads;
  if (!request.dtype.empty()) clip.dtype = request.dtype;
  clip = check(clip);

  const auto begin = std::chrono::steady_clock::now();
  auto* const engine_bench = entry_of<decltype(t2v_engine_bench)>(kEngineBench);
  const std::chrono::duration<double> start = std::chrono::steady_clock::now() - begin;
  BenchReport report;
  engine_bench({request, clip, start.count()}, control, on_result, report);
  return report;
}

}  // namespace t2v
