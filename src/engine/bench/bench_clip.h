#pragma once

#include <cstdint>

#include "engine/bench/synthetic_model.h"
#include "engine/interface/bench_cases.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/generate.h"
#include "tensors/tensor.h"

namespace t2v {

/// A clip, and what renders it.
struct BenchClip {
  CheckedRequest request;
  Checkpoint checkpoint;
};

/// What cases are run on.
struct BenchSetting {
  Placement placement;
  int64_t repeats = 5;
  BenchClip named;    ///< what load.model and e2e.model take
  BenchClip bundled;  ///< what clips of synthetic models have from it: all but size, steps and weights
};

/// What a case of a whole clip renders.
BenchClip bench_clip(const BenchSpec& spec, const BenchSetting& setting, SyntheticValues values);

}  // namespace t2v
