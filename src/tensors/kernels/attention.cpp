#include "tensors/kernels/attention.h"

#include <cmath>

#include "tensors/kernels/operation.h"

namespace t2v {
namespace {

/// LibTorch's fused attention, which takes the heads before the rows.
Tensor fused_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                       const std::optional<Tensor>& bias, std::optional<double> scale) {
  const auto whole_batch = [&](const Tensor& x) {
    return x.transpose(1, 2).expand({query.size(0), -1, -1, -1});
  };
  return at::scaled_dot_product_attention(query.transpose(1, 2), whole_batch(key), whole_batch(value), bias,
                                          /*dropout_p=*/0.0, /*is_causal=*/false, scale)
      .transpose(1, 2);
}

}  // namespace

Tensor reference::attention(const Tensor& query, const Tensor& key, const Tensor& value,
                            const std::optional<Tensor>& bias, std::optional<double> scale) {
  const at::ScalarType wide = at::promote_types(query.scalar_type(), at::kFloat);
  const auto heads = [&](const Tensor& x) { return x.to(wide).transpose(1, 2); };
  const double factor = scale.value_or(1 / std::sqrt(static_cast<double>(query.size(3))));
  Tensor logits = at::matmul(heads(query), heads(key).transpose(2, 3)) * factor;
  if (bias) logits = logits + *bias;
  return at::matmul(logits.softmax(-1), heads(value)).transpose(1, 2).to(query.scalar_type()).contiguous();
}

Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value,
                 const std::optional<Tensor>& bias, std::optional<double> scale) {
  static const auto operation = find_operation<decltype(reference::attention)>("t2v::attention");
  return operation.call(query, key, value, bias, scale);
}

TORCH_LIBRARY_FRAGMENT(t2v, library) {
  library.def("attention(Tensor query, Tensor key, Tensor value, Tensor? bias, float? scale) -> Tensor");
  add_kernel(library, "attention", c10::DispatchKey::CompositeExplicitAutograd, reference::attention);
  add_kernel(library, "attention", c10::DispatchKey::CPU, fused_attention);
  add_kernel(library, "attention", c10::DispatchKey::CUDA, fused_attention);
  add_kernel(library, "attention", c10::DispatchKey::Meta, fused_attention);
}

std::string attention_backend(const Tensor& query, const Tensor& key, const Tensor& value) {
  // The values of at::SDPBackend.
  switch (at::_fused_sdp_choice(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2))) {
    case 1:
      return "flash";
    case 2:
      return "efficient";
    case 3:
      return "cudnn";
    default:
      return "math";
  }
}

}  // namespace t2v
