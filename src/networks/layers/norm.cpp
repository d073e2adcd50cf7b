#include "networks/layers/norm.h"

#include <vector>

#include "tensors/kernels/channel_rms_norm.h"
#include "tensors/kernels/layer_norm.h"

namespace t2v {

LayerNorm::LayerNorm(const Weights& weights, int64_t dim, double eps)
    : eps_(eps),
      weight_(weights.tensor("weight", {dim}).to(at::kFloat)),
      bias_(weights.tensor("bias", {dim}).to(at::kFloat)) {}

Tensor LayerNorm::operator()(const Tensor& x) const { return layer_norm(x, weight_, bias_, eps_); }

RMSNorm::RMSNorm(const Weights& weights, int64_t dim, double eps)
    : weight_(weights.tensor("weight", {dim})), eps_(eps) {}

Tensor RMSNorm::operator()(const Tensor& x) const { return at::rms_norm(x, weight_.sizes(), weight_, eps_); }

ChannelRMSNorm::ChannelRMSNorm(const Weights& weights, int64_t channels, int64_t dimensions) {
  std::vector<int64_t> shape(dimensions, 1);
  shape[0] = channels;
  gamma_ = weights.tensor("gamma", shape).view(-1);
}

Tensor ChannelRMSNorm::operator()(const Tensor& x) const {
  return channel_rms_norm(x, gamma_, /*silu=*/false);
}

Tensor ChannelRMSNorm::with_silu(const Tensor& x) const { return channel_rms_norm(x, gamma_, /*silu=*/true); }

}  // namespace t2v
