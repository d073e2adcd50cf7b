#include "tensors/kernels/conv2d.h"

#include <array>
#include <string_view>

#include "tensors/cost.h"
#include "tensors/kernels/operation.h"
#include "tensors/kernels/processor.h"

namespace t2v {
namespace {

using at::IntArrayRef;
using Scalars = c10::List<std::optional<at::Scalar>>;
using Name = std::optional<std::string_view>;

// LibTorch's signatures: frames, weight, bias, padding, stride, dilation, groups, then operations on the
// result. at::conv2d is no replacement for the first, because it does not always use oneDNN.
using OnednnConv = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, IntArrayRef,
                          IntArrayRef, IntArrayRef, int64_t, std::string_view, Scalars, Name);
using OnednnAddConv = Tensor&(Tensor&, const Tensor&, const Tensor&, const std::optional<Tensor>&,
                              IntArrayRef, IntArrayRef, IntArrayRef, int64_t, std::string_view,
                              std::optional<at::Scalar>, Name, Scalars, Name);

constexpr std::array<int64_t, 2> kOnes = {1, 1};
constexpr int64_t kGroups = 1;

Tensor conv2d_cpu(const Tensor& frames, const Tensor& weight, const std::optional<Tensor>& bias,
                  int64_t stride, int64_t padding) {
  if (!processor().has_onednn(frames.scalar_type()))
    return reference::conv2d(frames, weight, bias, stride, padding);
  static const auto convolve = find_operation<OnednnConv>("mkldnn::_convolution_pointwise");
  return convolve.call(frames, weight, bias, std::array{padding, padding}, std::array{stride, stride}, kOnes,
                       kGroups, "none", Scalars(), "");
}

void add_conv2d_cpu(const Tensor& sum, const Tensor& frames, const Tensor& weight,
                    const std::optional<Tensor>& bias, int64_t padding) {
  if (!processor().has_onednn(frames.scalar_type()))
    return reference::add_conv2d(sum, frames, weight, bias, padding);
  static const auto convolve_add = find_operation<OnednnAddConv>("mkldnn::_convolution_pointwise_", "binary");
  Tensor target = sum;
  convolve_add.call(target, frames, weight, bias, std::array{padding, padding}, kOnes, kOnes, kGroups, "add",
                    std::nullopt, std::nullopt, Scalars(), std::nullopt);
}

void add_conv2d_meta(const Tensor& sum, const Tensor& frames, const Tensor& weight,
                     const std::optional<Tensor>& bias, int64_t padding) {
  if (!counts_for_cpu() || !processor().has_onednn(frames.scalar_type()))
    return reference::add_conv2d(sum, frames, weight, bias, padding);
  count_flops(2.0 * static_cast<double>(sum.numel()) * static_cast<double>(weight[0].numel()));
}

}  // namespace

Tensor reference::conv2d(const Tensor& frames, const Tensor& weight, const std::optional<Tensor>& bias,
                         int64_t stride, int64_t padding) {
  return at::conv2d(frames, weight, bias, stride, padding).contiguous(frames.suggest_memory_format());
}

void reference::add_conv2d(const Tensor& sum, const Tensor& frames, const Tensor& weight,
                           const std::optional<Tensor>& bias, int64_t padding) {
  sum.add_(at::conv2d(frames, weight, bias, /*stride=*/1, padding));
}

Tensor conv2d(const Tensor& frames, const Tensor& weight, const std::optional<Tensor>& bias, int64_t stride,
              int64_t padding) {
  static const auto operation = find_operation<decltype(reference::conv2d)>("t2v::conv2d");
  return operation.call(frames, weight, bias, stride, padding);
}

void add_conv2d(const Tensor& sum, const Tensor& frames, const Tensor& weight,
                const std::optional<Tensor>& bias, int64_t padding) {
  static const auto operation = find_operation<decltype(reference::add_conv2d)>("t2v::add_conv2d_");
  operation.call(sum, frames, weight, bias, padding);
}

TORCH_LIBRARY_FRAGMENT(t2v, library) {
  library.def("conv2d(Tensor frames, Tensor weight, Tensor? bias, int stride, int padding) -> Tensor");
  add_kernel(library, "conv2d", c10::DispatchKey::CompositeExplicitAutograd, reference::conv2d);
  add_kernel(library, "conv2d", c10::DispatchKey::CPU, conv2d_cpu);

  library.def("add_conv2d_(Tensor(a!) sum, Tensor frames, Tensor weight, Tensor? bias, int padding) -> ()");
  add_kernel(library, "add_conv2d_", c10::DispatchKey::CompositeExplicitAutograd, reference::add_conv2d);
  add_kernel(library, "add_conv2d_", c10::DispatchKey::CPU, add_conv2d_cpu);
  add_kernel(library, "add_conv2d_", c10::DispatchKey::Meta, add_conv2d_meta);
}

}  // namespace t2v
