#pragma once

#include "tensors/tensor.h"

namespace t2v {

/// RMS normalisation over the channels of each pixel (Zhang & Sennrich 2019, arXiv:1910.07467): x / max(|x|,
/// 1e-12) * sqrt(channels) * gamma, then SiLU if asked for. x: [n, channels, h, w], channels last; gamma:
/// [channels] in the dtype of x -> like x. The length |x| is taken in float32.
Tensor channel_rms_norm(const Tensor& x, const Tensor& gamma, bool silu);

namespace reference {
Tensor channel_rms_norm(const Tensor& x, const Tensor& gamma, bool silu);
}  // namespace reference

}  // namespace t2v
