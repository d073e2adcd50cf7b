#include "networks/layers/linear.h"

#include <utility>

namespace t2v {

Linear::Linear(const Weights& weights, int64_t in_features, int64_t out_features, Bias bias)
    : weight_(weights.matrix("weight", {out_features, in_features})) {
  if (bias == Bias::kYes) bias_ = weights.tensor("bias", {out_features});
}

Linear::Linear(const Tensor& weight, std::optional<Tensor> bias)
    : weight_{weight, std::nullopt, weight.scalar_type()}, bias_(std::move(bias)) {}

Tensor Linear::operator()(const Tensor& x, Activation activation) const {
  return linear(x, weight_.numbers(), bias_, activation);
}

}  // namespace t2v
