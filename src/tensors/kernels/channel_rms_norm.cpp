#include "tensors/kernels/channel_rms_norm.h"

#include <cmath>

#include "tensors/cost.h"
#include "tensors/kernels/channel_rms_norm_cpu.h"
#include "tensors/kernels/operation.h"
#include "tensors/kernels/processor.h"

namespace t2v {
namespace {

/// Normalises float32 in one pass over memory.
Tensor channel_rms_norm_cpu(const Tensor& x, const Tensor& gamma, bool silu) {
  if (x.scalar_type() != at::kFloat) return reference::channel_rms_norm(x, gamma, silu);
  const int64_t channels = x.size(1);
  const Tensor input = x.contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor weight = gamma * std::sqrt(static_cast<double>(channels));
  Tensor output = at::empty_like(input);
  const Rows rows{input.const_data_ptr<float>(), weight.const_data_ptr<float>(),
                  output.mutable_data_ptr<float>(), input.numel() / channels, channels};
  normalize_rows(rows, silu, processor().vectors);
  return output;
}

Tensor channel_rms_norm_meta(const Tensor& x, const Tensor& gamma, bool silu) {
  const bool fused = counts_for_cpu() && x.scalar_type() == at::kFloat;
  return fused ? at::empty_like(x) : reference::channel_rms_norm(x, gamma, silu);
}

}  // namespace

Tensor reference::channel_rms_norm(const Tensor& x, const Tensor& gamma, bool silu) {
  // As in diffusers, the length is in float32 and the rest in the dtype of the model.
  const Tensor wide = x.to(at::promote_types(x.scalar_type(), at::kFloat));
  const Tensor length = at::linalg_vector_norm(wide, 2, /*dim=*/1, /*keepdim=*/true).clamp_min(1e-12);
  const double scale = std::sqrt(static_cast<double>(x.size(1)));
  const Tensor normalized = (wide / length).to(x.scalar_type()) * scale * gamma.view({-1, 1, 1});
  return silu ? at::silu(normalized) : normalized;
}

Tensor channel_rms_norm(const Tensor& x, const Tensor& gamma, bool silu) {
  static const auto operation =
      find_operation<decltype(reference::channel_rms_norm)>("t2v::channel_rms_norm");
  return operation.call(x, gamma, silu);
}

TORCH_LIBRARY_FRAGMENT(t2v, library) {
  library.def("channel_rms_norm(Tensor x, Tensor gamma, bool silu) -> Tensor");
  add_kernel(library, "channel_rms_norm", c10::DispatchKey::CompositeExplicitAutograd,
             reference::channel_rms_norm);
  add_kernel(library, "channel_rms_norm", c10::DispatchKey::CPU, channel_rms_norm_cpu);
  add_kernel(library, "channel_rms_norm", c10::DispatchKey::Meta, channel_rms_norm_meta);
}

}  // namespace t2v
