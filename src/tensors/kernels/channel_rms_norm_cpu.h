#pragma once

#include <cstdint>

#include "tensors/kernels/processor.h"

namespace t2v {

/// A matrix to be normalised row by row. x and y may be the same.
struct Rows {
  const float* x;
  const float* weight;  ///< [channels]
  float* y;
  int64_t count, channels;
};

/// y[r, :] = x[r, :] / max(|x[r, :]|, 1e-12) * weight, then y * sigmoid(y) if `silu`. On all of OpenMP's
/// threads, in one pass over memory, with the given vector instructions.
void normalize_rows(const Rows& rows, bool silu, Vectors vectors);

}  // namespace t2v
