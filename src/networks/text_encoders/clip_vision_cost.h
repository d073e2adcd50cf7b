#pragma once

#include "networks/text_encoders/clip_vision.h"
#include "tensors/cost.h"

namespace t2v {

/// Cost of encoding `images` images together in float32, beside the weights.
Cost encode_cost(const CLIPVisionConfig& config, int64_t images, const Allocation& allocation);

}  // namespace t2v
