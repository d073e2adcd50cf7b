#pragma once

#include "tensors/tensor.h"

namespace t2v {

/// x / max(|x|, 1e-12) * sqrt(channels) * gamma with the length |x| taken over the channels of each pixel,
/// then SiLU if asked for. (diffusers WanRMS_norm, F.silu.)
class WanRMSNorm {
 public:
  /// gamma [channels, 1, ...].
  explicit WanRMSNorm(const Tensor& gamma);

  /// [n, channels, h, w], channels last, to the same.
  Tensor operator()(const Tensor& x) const { return apply(x, /*silu=*/false); }
  Tensor with_silu(const Tensor& x) const { return apply(x, /*silu=*/true); }

 private:
  Tensor apply(const Tensor& x, bool silu) const;

  Tensor gamma_;   ///< [channels, 1, 1]
  Tensor weight_;  ///< sqrt(channels) * gamma, float32, for the fused pass
};

}  // namespace t2v
