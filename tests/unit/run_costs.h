#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

#include "tensors/cost.h"
#include "tensors/weights/tensor_list.h"
#include "unit/tensors.h"

namespace t2v::testing {

/// Small random weights for the tensors of a network.
inline Weights random_weights(const TensorList& list, const LoadOptions& options = {}) {
  std::vector<std::pair<std::string, Tensor>> tensors;
  for (const auto& [name, entry] : list.tensors)
    tensors.emplace_back(name, at::randn(entry.shape).mul_(0.02));
  return weights_of(tensors, options);
}

/// Adds up what LibTorch's allocator of the CPU reports.
class AllocationRecord : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* /*address*/, int64_t bytes, size_t /*total_allocated*/,
                         size_t /*total_reserved*/, c10::Device /*device*/) override {
    live_ += bytes;
    peak_ = std::max(peak_, live_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  double peak() const { return static_cast<double>(peak_); }

 private:
  int64_t live_ = 0, peak_ = 0;
};

/// Floating-point operations of a product, a convolution or attention, by the shapes that go in; 0 for any
/// other operation.
inline double flops_of(const at::RecordFunction& call) {
  const std::string name = call.name();
  const auto tensor = [&](size_t i) { return call.inputs()[i].toTensor(); };
  const auto product = [](const Tensor& a, int64_t columns) {
    return 2.0 * static_cast<double>(a.numel()) * static_cast<double>(columns);
  };
  const auto convolution = [&](const Tensor& x, const Tensor& weight, size_t strides, size_t paddings) {
    double outputs = static_cast<double>(x.size(0) * weight.size(0));
    for (int64_t i = 2; i < x.dim(); ++i) {
      const auto of_axis = [&](size_t input) {  // one for all axes is a list of one
        const std::vector<int64_t> values = call.inputs()[input].toIntVector();
        return values[std::min<size_t>(i - 2, values.size() - 1)];
      };
      const int64_t covered = x.size(i) + 2 * of_axis(paddings) - weight.size(i);
      outputs *= static_cast<double>(covered / of_axis(strides) + 1);
    }
    return 2 * outputs * static_cast<double>(weight[0].numel());
  };
  if (name == "aten::mm" || name == "aten::bmm") return product(tensor(0), tensor(1).size(-1));
  if (name == "aten::addmm" || name == "aten::baddbmm") return product(tensor(1), tensor(2).size(-1));
  if (name == "mkldnn::_linear_pointwise") return product(tensor(0), tensor(1).size(0));
  if (name == "aten::convolution") return convolution(tensor(0), tensor(1), 3, 4);
  if (name == "mkldnn::_convolution_pointwise") return convolution(tensor(0), tensor(1), 4, 3);
  if (name == "mkldnn::_convolution_pointwise_") return convolution(tensor(1), tensor(2), 5, 4);
  if (name == "aten::scaled_dot_product_attention") return 2 * product(tensor(0), tensor(1).size(-2));
  return 0;
}

/// Cost of `work` as it runs. It must not free tensors that were there before: LibTorch's
/// record takes them for others that were at the same address.
inline Cost measured_cost(const std::function<void()>& work) {
  static thread_local double flops;
  flops = 0;
  const auto count = [](const at::RecordFunction& call) -> std::unique_ptr<at::ObserverContext> {
    flops += flops_of(call);
    return nullptr;
  };
  const auto handle = at::addThreadLocalCallback(
      at::RecordFunctionCallback(count).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  const auto record = std::make_shared<AllocationRecord>();
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, record);
    work();
  }
  at::removeCallback(handle);
  return {.flops = flops, .peak_bytes = record->peak()};
}

/// The cost that was counted beforehand is the one that `work` has on the CPU.
inline void expect_cost(const Cost& counted, const std::function<void()>& work) {
  const c10::InferenceMode inference_mode;
  const Cost measured = measured_cost(work);
  EXPECT_GT(measured.flops, 0);
  EXPECT_NEAR(counted.flops / measured.flops, 1, 0.01);
  EXPECT_NEAR(counted.peak_bytes / measured.peak_bytes, 1, 0.05);
}

}  // namespace t2v::testing
