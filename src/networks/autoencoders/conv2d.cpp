#include "networks/autoencoders/conv2d.h"

#include <ATen/core/dispatch/Dispatcher.h>

namespace t2v {
namespace {

using at::IntArrayRef;
using OptionalScalars = c10::List<std::optional<at::Scalar>>;

// LibTorch has oneDNN's "convolve and add" only as dispatcher operations; these are their schemas. at::conv2d
// would also do for the first, but not always through oneDNN.
using Convolve = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, IntArrayRef, IntArrayRef,
                        IntArrayRef, int64_t, std::string_view, OptionalScalars,
                        std::optional<std::string_view>);
using ConvolveAdd = Tensor&(Tensor&, const Tensor&, const Tensor&, const std::optional<Tensor>&, IntArrayRef,
                            IntArrayRef, IntArrayRef, int64_t, std::string_view, std::optional<at::Scalar>,
                            std::optional<std::string_view>, OptionalScalars,
                            std::optional<std::string_view>);

template <typename Signature>
c10::TypedOperatorHandle<Signature> operation(const char* name, const char* overload) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

constexpr std::array<int64_t, 2> kDilation = {1, 1};
constexpr int64_t kGroups = 1;

}  // namespace

Conv2d::Conv2d(const Tensor& weight, std::optional<Tensor> bias, int64_t padding, int64_t stride)
    : weight_(weight.contiguous(at::MemoryFormat::ChannelsLast)),
      bias_(std::move(bias)),
      padding_{padding, padding},
      stride_{stride, stride} {}

Tensor Conv2d::operator()(const Tensor& x) const {
  if (!x.is_cpu()) return at::conv2d(x, weight_, bias_, stride_, padding_);
  static const auto convolve = operation<Convolve>("mkldnn::_convolution_pointwise", "");
  return convolve.call(x, weight_, bias_, padding_, stride_, kDilation, kGroups, "none", OptionalScalars(),
                       "");
}

void Conv2d::add_to(const Tensor& sum, const Tensor& x) const {
  if (!x.is_cpu()) {
    sum.add_(at::conv2d(x, weight_, bias_, stride_, padding_));
    return;
  }
  static const auto convolve_add = operation<ConvolveAdd>("mkldnn::_convolution_pointwise_", "binary");
  Tensor target = sum;
  convolve_add.call(target, x, weight_, bias_, padding_, stride_, kDilation, kGroups, "add", std::nullopt,
                    std::nullopt, OptionalScalars(), std::nullopt);
}

}  // namespace t2v
