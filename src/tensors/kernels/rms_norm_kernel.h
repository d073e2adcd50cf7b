#pragma once

#include <cstdint>

namespace t2v {

/// y[r, :] = x[r, :] / max(|x[r, :]|, 1e-12) * weight, then y * sigmoid(y) if `silu`, for `rows` rows of
/// `channels` floats. On all of OpenMP's threads, in one pass over memory. x and y may be the same.
void rms_norm_rows(const float* x, const float* weight, float* y, int64_t rows, int64_t channels, bool silu);

}  // namespace t2v
