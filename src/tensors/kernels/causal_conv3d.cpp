#include "tensors/kernels/causal_conv3d.h"

#include <algorithm>
#include <vector>

#include "tensors/cost.h"
#include "tensors/kernels/conv2d.h"
#include "tensors/kernels/operation.h"
#include "tensors/kernels/processor.h"

namespace t2v {
namespace {

/// A 3-D convolution as a sum of 2-D convolutions, one for each step back in time. It copies no window of
/// frames, and skips the zeros before the first frame.
class Taps {
 public:
  Taps(const Tensor& weight, const std::optional<Tensor>& bias)
      : weight_(weight), bias_(bias), steps_(weight.size(2)), padding_(weight.size(3) / 2) {}

  Tensor present(const Tensor& frames) const { return conv2d(frames, tap(0), bias_, /*stride=*/1, padding_); }
  void add_present(const Tensor& sum, const Tensor& frames) const {
    add_conv2d(sum, frames, tap(0), bias_, padding_);
  }
  void add_past(const Tensor& sum, const Tensor& frames, at::TensorList past) const {
    const int64_t count = frames.size(0), remembered = static_cast<int64_t>(past.size());
    for (int64_t back = 1; back < steps_; ++back) {
      for (int64_t i = std::max<int64_t>(0, back - remembered); i < std::min(back, count); ++i)
        add_conv2d(sum.narrow(0, i, 1), past[remembered - back + i], tap(back), std::nullopt, padding_);
      if (back >= count) continue;
      add_conv2d(sum.narrow(0, back, count - back), frames.narrow(0, 0, count - back), tap(back),
                 std::nullopt, padding_);
    }
  }

 private:
  /// The kernel for the frame `back` steps ago: [out, in, k, k].
  Tensor tap(int64_t back) const { return weight_.select(2, steps_ - 1 - back); }

  const Tensor& weight_;
  const std::optional<Tensor>& bias_;
  int64_t steps_, padding_;
};

Tensor convolve_by_taps(const Tensor& frames, at::TensorList past, const Tensor& weight,
                        const std::optional<Tensor>& bias) {
  const Taps taps(weight, bias);
  const Tensor sum = taps.present(frames);
  taps.add_past(sum, frames, past);
  return sum;
}

void add_by_taps(const Tensor& sum, const Tensor& frames, at::TensorList past, const Tensor& weight,
                 const std::optional<Tensor>& bias) {
  const Taps taps(weight, bias);
  taps.add_present(sum, frames);
  taps.add_past(sum, frames, past);
}

Tensor causal_conv3d_cpu(const Tensor& frames, at::TensorList past, const Tensor& weight,
                         const std::optional<Tensor>& bias) {
  const bool fast = processor().has_onednn(frames.scalar_type());
  return (fast ? convolve_by_taps : reference::causal_conv3d)(frames, past, weight, bias);
}

void add_causal_conv3d_cpu(const Tensor& sum, const Tensor& frames, at::TensorList past, const Tensor& weight,
                           const std::optional<Tensor>& bias) {
  const bool fast = processor().has_onednn(frames.scalar_type());
  (fast ? add_by_taps : reference::add_causal_conv3d)(sum, frames, past, weight, bias);
}

Tensor causal_conv3d_meta(const Tensor& frames, at::TensorList past, const Tensor& weight,
                          const std::optional<Tensor>& bias) {
  const bool fast = !counts_for_cpu() || processor().has_onednn(frames.scalar_type());
  return (fast ? convolve_by_taps : reference::causal_conv3d)(frames, past, weight, bias);
}

void add_causal_conv3d_meta(const Tensor& sum, const Tensor& frames, at::TensorList past,
                            const Tensor& weight, const std::optional<Tensor>& bias) {
  const bool fast = !counts_for_cpu() || processor().has_onednn(frames.scalar_type());
  (fast ? add_by_taps : reference::add_causal_conv3d)(sum, frames, past, weight, bias);
}

}  // namespace

Tensor reference::causal_conv3d(const Tensor& frames, at::TensorList past, const Tensor& weight,
                                const std::optional<Tensor>& bias) {
  std::vector<Tensor> seen = past.vec();
  seen.push_back(frames);
  const int64_t zeros = weight.size(2) - 1 - static_cast<int64_t>(past.size()), side = weight.size(3) / 2;
  // [steps - 1 + t, in, h, w] -> [1, in, steps - 1 + t, h, w]
  const Tensor video =
      at::constant_pad_nd(at::cat(seen), {0, 0, 0, 0, 0, 0, zeros, 0}).transpose(0, 1).unsqueeze(0);
  const Tensor convolved = at::conv3d(video, weight, bias, /*stride=*/1, {0, side, side});
  return convolved.squeeze(0).transpose(0, 1).contiguous(at::MemoryFormat::ChannelsLast);
}

void reference::add_causal_conv3d(const Tensor& sum, const Tensor& frames, at::TensorList past,
                                  const Tensor& weight, const std::optional<Tensor>& bias) {
  sum.add_(reference::causal_conv3d(frames, past, weight, bias));
}

Tensor causal_conv3d(const Tensor& frames, at::TensorList past, const Tensor& weight,
                     const std::optional<Tensor>& bias) {
  static const auto operation = find_operation<decltype(reference::causal_conv3d)>("t2v::causal_conv3d");
  return operation.call(frames, past, weight, bias);
}

void add_causal_conv3d(const Tensor& sum, const Tensor& frames, at::TensorList past, const Tensor& weight,
                       const std::optional<Tensor>& bias) {
  static const auto operation =
      find_operation<decltype(reference::add_causal_conv3d)>("t2v::add_causal_conv3d_");
  operation.call(sum, frames, past, weight, bias);
}

Tensor causal_conv3d_weight(const Tensor& weight) {
  // [steps, out, k, k, in] in memory
  return weight.permute({2, 0, 3, 4, 1}).contiguous().permute({1, 4, 0, 2, 3});
}

// By taps on the GPU too.
TORCH_LIBRARY_FRAGMENT(t2v, library) {
  library.def("causal_conv3d(Tensor frames, Tensor[] past, Tensor weight, Tensor? bias) -> Tensor");
  add_kernel(library, "causal_conv3d", c10::DispatchKey::CompositeExplicitAutograd, reference::causal_conv3d);
  add_kernel(library, "causal_conv3d", c10::DispatchKey::CPU, causal_conv3d_cpu);
  add_kernel(library, "causal_conv3d", c10::DispatchKey::CUDA, convolve_by_taps);
  add_kernel(library, "causal_conv3d", c10::DispatchKey::Meta, causal_conv3d_meta);

  library.def(
      "add_causal_conv3d_(Tensor(a!) sum, Tensor frames, Tensor[] past, Tensor weight, Tensor? bias) -> ()");
  add_kernel(library, "add_causal_conv3d_", c10::DispatchKey::CompositeExplicitAutograd,
             reference::add_causal_conv3d);
  add_kernel(library, "add_causal_conv3d_", c10::DispatchKey::CPU, add_causal_conv3d_cpu);
  add_kernel(library, "add_causal_conv3d_", c10::DispatchKey::CUDA, add_by_taps);
  add_kernel(library, "add_causal_conv3d_", c10::DispatchKey::Meta, add_causal_conv3d_meta);
}

}  // namespace t2v
