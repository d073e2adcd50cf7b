#include "tensors/kernels/layer_norm.h"

#include "tensors/kernels/operation.h"

namespace t2v {
namespace {

Tensor fused_layer_norm(const Tensor& x, const std::optional<Tensor>& weight,
                        const std::optional<Tensor>& bias, double eps) {
  return at::layer_norm(x.to(at::kFloat), {x.size(-1)}, weight, bias, eps);
}

}  // namespace

Tensor reference::layer_norm(const Tensor& x, const std::optional<Tensor>& weight,
                             const std::optional<Tensor>& bias, double eps) {
  const Tensor wide = x.to(at::kFloat);
  const Tensor centred = wide - wide.mean(-1, /*keepdim=*/true);
  const Tensor normalized = centred / (centred.square().mean(-1, /*keepdim=*/true) + eps).sqrt();
  return weight ? normalized * *weight + *bias : normalized;
}

Tensor layer_norm(const Tensor& x, const std::optional<Tensor>& weight, const std::optional<Tensor>& bias,
                  double eps) {
  static const auto operation = find_operation<decltype(reference::layer_norm)>("t2v::layer_norm");
  return operation.call(x, weight, bias, eps);
}

TORCH_LIBRARY_FRAGMENT(t2v, library) {
  library.def("layer_norm(Tensor x, Tensor? weight, Tensor? bias, float eps) -> Tensor");
  add_kernel(library, "layer_norm", c10::DispatchKey::CompositeExplicitAutograd, reference::layer_norm);
  add_kernel(library, "layer_norm", c10::DispatchKey::CPU, fused_layer_norm);
  add_kernel(library, "layer_norm", c10::DispatchKey::CUDA, fused_layer_norm);
  add_kernel(library, "layer_norm", c10::DispatchKey::Meta, fused_layer_norm);
}

}  // namespace t2v
