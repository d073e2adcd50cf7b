#include "networks/layers/linear.h"

#include <string_view>
#include <utility>

#include <ATen/core/dispatch/Dispatcher.h>

namespace t2v {
namespace {

/// at::linear takes float32 to MKL, which uses half the width of an AMD processor's vectors; oneDNN does not,
/// and applies the activation to a tile while it is in the cache. For bfloat16 at::linear chooses oneDNN
/// itself.
bool has_fast_path(const Tensor& x, const Tensor& weight) {
  return x.is_cpu() && weight.is_cpu() && x.scalar_type() == at::kFloat &&
         weight.scalar_type() == at::kFloat && at::globalContext().hasMKLDNN();
}

Tensor onednn_linear(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias,
                     std::string_view activation, std::optional<std::string_view> algorithm) {
  using Signature = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, std::string_view,
                           c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);
  static const auto linear_pointwise =
      c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn::_linear_pointwise", "").typed<Signature>();
  static const c10::List<std::optional<at::Scalar>> no_scalars;
  return linear_pointwise.call(x, weight, bias, activation, no_scalars, algorithm);
}

}  // namespace

Linear::Linear(const Weights& weights, int64_t in_features, int64_t out_features, Bias bias)
    : weight_(weights.matrix("weight", {out_features, in_features})) {
  if (bias == Bias::kYes) bias_ = weights.tensor("bias", {out_features});
}

Linear::Linear(const Tensor& weight, std::optional<Tensor> bias)
    : weight_{weight, std::nullopt, weight.scalar_type()}, bias_(std::move(bias)) {}

Tensor Linear::operator()(const Tensor& x) const {
  const Tensor weight = weight_.numbers();
  if (has_fast_path(x, weight)) return onednn_linear(x, weight, bias_, "none", "");
  return at::linear(x, weight, bias_);
}

Tensor Linear::gelu(const Tensor& x) const {
  if (has_fast_path(x, weight_.values)) return onednn_linear(x, weight_.values, bias_, "gelu", "none");
  return at::gelu((*this)(x));
}

Tensor Linear::gelu_tanh(const Tensor& x) const {
  if (has_fast_path(x, weight_.values)) return onednn_linear(x, weight_.values, bias_, "gelu", "tanh");
  return at::gelu((*this)(x), "tanh");
}

}  // namespace t2v
