#include "networks/layers/norm.h"

namespace t2v {

LayerNorm::LayerNorm(int64_t dim, double eps) : dim_(dim), eps_(eps) {}

LayerNorm::LayerNorm(const Weights& weights, int64_t dim, double eps)
    : dim_(dim),
      eps_(eps),
      weight_(weights.tensor("weight", {dim}).to(at::kFloat)),
      bias_(weights.tensor("bias", {dim}).to(at::kFloat)) {}

Tensor LayerNorm::operator()(const Tensor& x) const {
  return at::layer_norm(x.to(at::kFloat), {dim_}, weight_, bias_, eps_);
}

RMSNorm::RMSNorm(const Weights& weights, int64_t dim, double eps)
    : weight_(weights.tensor("weight", {dim})), eps_(eps) {}

Tensor RMSNorm::operator()(const Tensor& x) const { return at::rms_norm(x, weight_.sizes(), weight_, eps_); }

}  // namespace t2v
