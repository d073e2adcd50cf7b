#pragma once

#include "engine/bench/bench_timer.h"
#include "engine/bench/case_plan.h"
#include "engine/planning/calibration.h"
#include "t2v/bench.h"

namespace t2v {

/// Runs cases one by one.
class BenchRunner {
 public:
  /// Writes the speed of each phase of a clip into `calibration`. It and `control` have to outlive this.
  BenchRunner(BenchSetting setting, Calibration& calibration, const RunControl& control);

  /// Error (kResource) for a case that plan_case() refuses; (kOutput) for a model that cannot be written;
  /// Stopped.
  BenchResult run(const BenchSpec& spec);

  /// TFLOP/s of large matrix products, for each dtype of the cases.
  std::vector<std::pair<std::string, double>> ceilings() const { return ceiling_.highest(); }

 private:
  void measure(const BenchSpec& spec, const CasePlan& planned, BenchResult& result);
  void run_product(const BenchSpec& spec, BenchResult& result) const;
  void run_attention(const BenchSpec& spec, BenchResult& result) const;
  void run_network(const BenchSpec& spec, const CasePlan& planned, BenchResult& result);
  void run_load(const BenchSpec& spec, const CasePlan& planned, BenchResult& result) const;
  void run_clip(const BenchSpec& spec, BenchResult& result);

  /// Fills the rate of a case from its time.
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
