#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <optional>

#include "t2v/error.h"

namespace t2v {

using at::Tensor;

/// The numbers a component computes in, and where.
struct Placement {
  at::ScalarType dtype = at::kFloat;
  at::Device device = at::kCPU;
};

/// "float32", "bfloat16", "float16" -> dtype, "fp8" -> bfloat16, in which it is computed. Error (kUsage) for
/// another word.
at::ScalarType parse_dtype(const std::string& name);
std::string dtype_name(at::ScalarType dtype);

/// "cpu", "cuda", "cuda:1" or "auto" -> device. "auto" is the first CUDA device, else the CPU. Asking for
/// CUDA loads LibTorch's CUDA library at run time; Error (kResource) if there is no such device, (kUsage) for
/// another word.
at::Device parse_device(const std::string& name);

/// What torch.Generator("cpu").manual_seed(seed) is: the source of a clip's noise.
at::Generator seeded_generator(uint64_t seed);

/// Standard normal float32 noise of `shape` on the CPU: what torch.randn draws first from that generator.
Tensor seeded_randn(at::IntArrayRef shape, uint64_t seed);

/// Error (kNumbers) naming `what` if a value is NaN or infinite. Reads the tensor: call it once a phase, not
/// in a loop.
void check_finite(const Tensor& values, const std::string& what);

/// Where a GPU copies while it computes elsewhere. On the CPU everything happens in the calling thread, at
/// once.
class CopyStream {
 public:
  explicit CopyStream(at::Device device);
  /// Does `work` there and waits for its end: what it made can be used on every stream.
  void run(const std::function<void()>& work) const;
  /// Waits for what the calling thread has asked the device to compute: what that used can be dropped.
  void wait_for_computation() const;

 private:
  std::optional<c10::Stream> stream_;  ///< none on the CPU
};

}  // namespace t2v
