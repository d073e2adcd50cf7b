#include "networks/autoencoders/wan_causal_conv3d.h"

#include "tensors/kernels/causal_conv3d.h"

namespace t2v {

WanCausalConv3d::WanCausalConv3d(const Weights& weights, int64_t in_channels, int64_t out_channels,
                                 int64_t steps, int64_t size)
    : WanCausalConv3d(weights.tensor("weight", {out_channels, in_channels, steps, size, size}),
                      weights.tensor("bias", {out_channels})) {}

WanCausalConv3d::WanCausalConv3d(const Tensor& weight, const Tensor& bias)
    : weight_(causal_conv3d_weight(weight)), bias_(bias) {}

Tensor WanCausalConv3d::operator()(const Tensor& frames, FeatureCache& cache) const {
  std::vector<Tensor>& past = cache[this];
  const Tensor convolved = causal_conv3d(frames, past, weight_, bias_);
  remember(frames, past);
  return convolved;
}

void WanCausalConv3d::add_to(const Tensor& sum, const Tensor& frames, FeatureCache& cache) const {
  std::vector<Tensor>& past = cache[this];
  add_causal_conv3d(sum, frames, past, weight_, bias_);
  remember(frames, past);
}

void WanCausalConv3d::remember(const Tensor& frames, std::vector<Tensor>& past) const {
  for (const Tensor& frame : frames.split(1)) past.push_back(frame);
  const int64_t surplus = static_cast<int64_t>(past.size()) - (weight_.size(2) - 1);
  if (surplus > 0) past.erase(past.begin(), past.begin() + surplus);
}

}  // namespace t2v
