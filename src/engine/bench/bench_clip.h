#pragma once

#include <cstdint>

#include "engine/bench/synthetic_model.h"
#include "engine/interface/bench_cases.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/generate.h"
#include "tensors/tensor.h"

namespace t2v {

/// A clip and its model.
struct BenchClip {
  CheckedRequest request;
  Checkpoint checkpoint;
};

/// The device and the models of all cases.
struct BenchSetting {
  Placement placement;
  int64_t repeats = 5;
  BenchClip named;    ///< for the cases load.model and e2e.model
  BenchClip bundled;  ///< gives clips of synthetic models all but size, steps and weights
};

/// The clip that a case of a whole clip renders.
BenchClip bench_clip(const BenchSpec& spec, const BenchSetting& setting, SyntheticValues values);

}  // namespace t2v
