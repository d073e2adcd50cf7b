#include "networks/autoencoders/wan_rms_norm.h"

#include <cmath>

#include "tensors/kernels/rms_norm_kernel.h"

namespace t2v {

WanRMSNorm::WanRMSNorm(const Tensor& gamma)
    : gamma_(gamma.reshape({-1, 1, 1})),
      weight_(gamma.reshape(-1).to(at::kFloat) * std::sqrt(static_cast<double>(gamma.size(0)))) {}

Tensor WanRMSNorm::apply(const Tensor& x, bool silu) const {
  if (x.is_cpu() && x.scalar_type() == at::kFloat) {
    const Tensor input = x.contiguous(at::MemoryFormat::ChannelsLast);
    Tensor output = at::empty_like(input);
    const int64_t channels = x.size(1);
    rms_norm_rows(input.const_data_ptr<float>(), weight_.const_data_ptr<float>(),
                  output.mutable_data_ptr<float>(), input.numel() / channels, channels, silu);
    return output;
  }
  // The length in float32, the rest in the dtype of the model, as the reference rounds.
  const Tensor wide = x.to(at::kFloat);
  const Tensor length = at::linalg_vector_norm(wide, 2, /*dim=*/1, /*keepdim=*/true).clamp_min(1e-12);
  const double scale = std::sqrt(static_cast<double>(x.size(1)));
  const Tensor normalized = (wide / length).to(x.scalar_type()) * scale * gamma_;
  return silu ? at::silu(normalized) : normalized;
}

}  // namespace t2v
