#pragma once

#include <vector>

#include "checkpoints/checkpoint.h"
#include "pipelines/bench_cases.h"
#include "pipelines/bench_timer.h"
#include "pipelines/calibration.h"
#include "t2v/bench.h"
#include "t2v/generate.h"

namespace t2v {

/// What cases are run on.
struct BenchSetting {
  Placement placement;
  int64_t repeats = 5;
  GenerateRequest clip;  ///< has passed check(): what load.model and e2e.model render
  Checkpoint checkpoint;
};

/// Runs cases one by one.
class BenchRunner {
 public:
  /// Measures the ceilings. How fast the phases of a clip are is noted in `calibration`; it and `control`
  /// have to outlive this.
  BenchRunner(BenchSetting setting, Calibration& calibration, const RunControl& control);

  /// Error (kResource) for work that does not fit into memory; Stopped.
  BenchResult run(const BenchSpec& spec);

  const std::vector<std::pair<std::string, double>>& ceilings() const { return ceilings_; }

 private:
  void run_product(const BenchSpec& spec, BenchResult& result) const;
  void run_attention(const BenchSpec& spec, BenchResult& result) const;
  /// Whether one block stands for all: asked for, on a CPU, or because not all fit. Error (kResource) if that
  /// does not fit either.
  bool takes_one_block(const BenchSpec& spec, const WanTransformer3DConfig& config) const;
  void run_transformer(const BenchSpec& spec, BenchResult& result);
  void run_vae(const BenchSpec& spec, BenchResult& result);
  void run_text_encoder(const BenchSpec& spec, BenchResult& result);
  void run_load(BenchResult& result) const;
  void run_clip(BenchResult& result);

  void expect_memory(double bytes, const std::string& name) const;
  Tensor random(at::IntArrayRef shape, at::ScalarType dtype) const;

  BenchSetting setting_;
  Calibration& calibration_;
  const RunControl& control_;
  BenchTimer timer_;
  std::vector<std::pair<std::string, double>> ceilings_;
};

}  // namespace t2v
