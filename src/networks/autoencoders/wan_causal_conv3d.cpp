#include "networks/autoencoders/wan_causal_conv3d.h"

#include <algorithm>
#include <utility>

namespace t2v {

WanCausalConv3d::WanCausalConv3d(const Weights& weights, int64_t in_channels, int64_t out_channels,
                                 int64_t steps, int64_t size)
    : WanCausalConv3d(weights.tensor("weight", {out_channels, in_channels, steps, size, size}),
                      weights.tensor("bias", {out_channels})) {}

WanCausalConv3d::WanCausalConv3d(const Tensor& weight, const Tensor& bias) {
  const int64_t steps = weight.size(2);
  const int64_t padding = weight.size(3) / 2;
  for (int64_t back = 0; back < steps; ++back) {
    const Tensor tap = weight.select(2, steps - 1 - back);
    const bool silent = back > 0 && !tap.any().item<bool>();
    taps_.push_back(silent ? std::nullopt
                           : std::optional<Conv2d>(std::in_place, tap,
                                                   back == 0 ? std::optional(bias) : std::nullopt, padding));
  }
}

Tensor WanCausalConv3d::operator()(const Tensor& frames, FeatureCache& cache) const {
  Tensor sum = (*taps_[0])(frames);
  add_past(sum, frames, cache[this]);
  return sum;
}

void WanCausalConv3d::add_to(const Tensor& sum, const Tensor& frames, FeatureCache& cache) const {
  taps_[0]->add_to(sum, frames);
  add_past(sum, frames, cache[this]);
}

void WanCausalConv3d::add_past(const Tensor& sum, const Tensor& frames, std::vector<Tensor>& past) const {
  const int64_t count = frames.size(0);
  const int64_t remembered = static_cast<int64_t>(past.size());
  for (int64_t back = 1; back < static_cast<int64_t>(taps_.size()); ++back) {
    if (!taps_[back]) continue;
    for (int64_t i = std::max<int64_t>(0, back - remembered); i < std::min(back, count); ++i) {
      taps_[back]->add_to(sum.narrow(0, i, 1), past[remembered - back + i]);
    }
    if (back < count)
      taps_[back]->add_to(sum.narrow(0, back, count - back), frames.narrow(0, 0, count - back));
  }
  for (const Tensor& frame : frames.split(1)) past.push_back(frame);
  const int64_t surplus = static_cast<int64_t>(past.size()) - (static_cast<int64_t>(taps_.size()) - 1);
  if (surplus > 0) past.erase(past.begin(), past.begin() + surplus);
}

}  // namespace t2v
