#pragma once

#include "tensors/tensor.h"

namespace t2v {

/// Whether guidance_scale asks for a second, unconditional prediction: only above 1.
inline bool is_guided(double guidance_scale) { return guidance_scale > 1.0; }

/// uncond + guidance_scale * (cond - uncond) (arXiv 2207.12598). Both have one shape and one dtype, to which
/// each operation is rounded.
Tensor classifier_free_guidance(const Tensor& cond, const Tensor& uncond, double guidance_scale);

}  // namespace t2v
