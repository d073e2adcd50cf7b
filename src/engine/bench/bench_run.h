#pragma once

#include "engine/bench/bench_timer.h"
#include "engine/bench/case_plan.h"
#include "engine/planning/calibration.h"
#include "t2v/bench.h"

namespace t2v {

/// Runs cases one by one.
class BenchRunner {
 public:
  /// How fast the phases of a clip are is noted in `calibration`; it and `control` have to outlive this.
  BenchRunner(BenchSetting setting, Calibration& calibration, const RunControl& control);

  /// Error (kResource) for what plan_case() refuses; (kOutput) for a model that cannot be written; Stopped.
  BenchResult run(const BenchSpec& spec);

  /// TFLOP/s of matrix products, for each dtype that cases computed in.
  std::vector<std::pair<std::string, double>> ceilings() const { return ceiling_.highest(); }

 private:
  void measure(const BenchSpec& spec, const CasePlan& planned, BenchResult& result);
  void run_product(const BenchSpec& spec, BenchResult& result) const;
  void run_attention(const BenchSpec& spec, BenchResult& result) const;
  void run_network(const BenchSpec& spec, const CasePlan& planned, BenchResult& result);
  void run_load(const BenchSpec& spec, const CasePlan& planned, BenchResult& result) const;
  void run_clip(const BenchSpec& spec, BenchResult& result);

  /// Fills what follows from the time that a case took.
  void add_share(const BenchSpec& spec, double ceiling_before, BenchResult& result);
  /// Random queries, keys or values of the transformer: [1, tokens, heads, head_dim].
  Tensor random_heads(const BenchSpec& spec, int64_t tokens) const;
  at::ScalarType dtype_of(const BenchSpec& spec) const;

  BenchSetting setting_;
  Calibration& calibration_;
  const RunControl& control_;
  BenchTimer timer_;
  BenchCeiling ceiling_;
};

}  // namespace t2v
