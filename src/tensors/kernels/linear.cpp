#include "tensors/kernels/linear.h"

#include <string_view>

#include "tensors/cost.h"
#include "tensors/kernels/operation.h"
#include "tensors/kernels/processor.h"

namespace t2v {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
/// LibTorch's signature: x, weight, bias, name of the activation, its scalars, its algorithm.
using OnednnLinear = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, std::string_view,
                            Scalars, std::optional<std::string_view>);

/// Uses oneDNN for float32. at::linear would use MKL, which uses only half the width of the vectors of an AMD
/// processor. oneDNN also applies the activation to each tile while it is in the cache. For bfloat16
/// at::linear uses oneDNN itself.
Tensor linear_cpu(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias,
                  int64_t activation) {
  const bool is_float32 = x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat;
  if (!is_float32 || !processor().has_onednn(at::kFloat))
    return reference::linear(x, weight, bias, activation);
  static const auto onednn_linear = find_operation<OnednnLinear>("mkldnn::_linear_pointwise");
  static const Scalars no_scalars;
  switch (Activation{activation}) {
    case Activation::kGelu:
      return onednn_linear.call(x, weight, bias, "gelu", no_scalars, "none");
    case Activation::kGeluTanh:
      return onednn_linear.call(x, weight, bias, "gelu", no_scalars, "tanh");
    default:
      return onednn_linear.call(x, weight, bias, "none", no_scalars, "");
  }
}

Tensor linear_meta(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias,
                   int64_t activation) {
  const bool fused = counts_for_cpu() && x.scalar_type() == at::kFloat && processor().has_onednn(at::kFloat);
  return reference::linear(x, weight, bias, fused ? static_cast<int64_t>(Activation::kNone) : activation);
}

}  // namespace

Tensor reference::linear(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias,
                         int64_t activation) {
  const Tensor product = at::linear(x, weight, bias);
  if (Activation{activation} == Activation::kNone) return product;
  return at::gelu(product, Activation{activation} == Activation::kGelu ? "none" : "tanh");
}

Tensor linear(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias,
              Activation activation) {
  static const auto operation = find_operation<decltype(reference::linear)>("t2v::linear");
  return operation.call(x, weight, bias, static_cast<int64_t>(activation));
}

TORCH_LIBRARY_FRAGMENT(t2v, library) {
  library.def("linear(Tensor x, Tensor weight, Tensor? bias, int activation) -> Tensor");
  add_kernel(library, "linear", c10::DispatchKey::CompositeExplicitAutograd, reference::linear);
  add_kernel(library, "linear", c10::DispatchKey::CPU, linear_cpu);
  add_kernel(library, "linear", c10::DispatchKey::Meta, linear_meta);
}

}  // namespace t2v
