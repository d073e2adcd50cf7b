#pragma once

#include "networks/text_encoders/umt5_encoder.h"
#include "tensors/cost.h"

namespace t2v {

/// Cost of encoding a prompt of `tokens` tokens with weights in `dtype`, beside the weights.
Cost encode_cost(const UMT5Config& config, int64_t tokens, at::ScalarType dtype,
                 const Allocation& allocation);

}  // namespace t2v
