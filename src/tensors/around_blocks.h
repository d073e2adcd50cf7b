#pragma once

#include <functional>

#include "tensors/tensor.h"

namespace t2v {

/// A function around the loop over a model's blocks. hidden_states: the input of the first block, [batch,
/// tokens, dim]; temb: the time embedding, [rows, dim]; `blocks` runs the loop and returns the output of the
/// last block. Returns that output, or an estimate of it.
using AroundBlocks = std::function<Tensor(const Tensor& hidden_states, const Tensor& temb,
                                          const std::function<Tensor()>& blocks)>;

}  // namespace t2v
