#include "tensors/kernels/processor.h"

#include <atomic>

#include "tensors/kernels/operation.h"
#include "tensors/tensor.h"

namespace t2v {
namespace {

std::atomic<const Processor*> pretended_processor = nullptr;

Vectors vectors_of_libtorch() {
  const std::string capability = at::get_cpu_capability();
  if (capability == "AVX512") return Vectors::kAvx512;
  return capability == "AVX2" ? Vectors::kAvx2 : Vectors::kBaseline;
}

/// Asks LibTorch's oneDNN whether it supports a dtype, as its operations do before they refuse it.
bool onednn_supports(const char* question) {
  return at::globalContext().hasMKLDNN() && find_operation<bool()>(question).call();
}

}  // namespace

bool Processor::has_onednn(c10::ScalarType dtype) const {
  switch (dtype) {
    case at::kFloat:
      return onednn_float32;
    case at::kBFloat16:
      return onednn_bfloat16;
    case at::kHalf:
      return onednn_float16;
    default:
      return false;
  }
}

const Processor& processor() {
  if (const Processor* pretended = pretended_processor) return *pretended;
  static const Processor this_machine = {
      .vectors = vectors_of_libtorch(),
      .onednn_float32 = at::globalContext().hasMKLDNN(),
      .onednn_bfloat16 = onednn_supports("mkldnn::_is_mkldnn_bf16_supported"),
      .onednn_float16 = onednn_supports("mkldnn::_is_mkldnn_fp16_supported")};
  return this_machine;
}

PretendProcessor::PretendProcessor(const Processor& pretended) : pretended_(pretended) {
  pretended_processor = &pretended_;
}

PretendProcessor::~PretendProcessor() { pretended_processor = nullptr; }

}  // namespace t2v
