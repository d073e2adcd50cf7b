#pragma once

#include <functional>

#include "tensors/tensor.h"

namespace t2v {

/// Something around the loop over a model's blocks: gets what goes into the first one, [batch, tokens, dim],
/// and the time embedding, [rows, dim]; `blocks` computes what comes out of the last one. Returns that, or
/// what stands for it.
using AroundBlocks = std::function<Tensor(const Tensor& hidden_states, const Tensor& temb,
                                          const std::function<Tensor()>& blocks)>;

}  // namespace t2v
