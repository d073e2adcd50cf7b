#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <optional>

#include "t2v/error.h"

namespace t2v {

using at::Tensor;

/// The dtype and the device that a component computes in.
struct Placement {
  at::ScalarType dtype = at::kFloat;
  at::Device device = at::kCPU;
};

/// "float32", "bfloat16", "float16" -> dtype; "fp8" -> bfloat16, because fp8 matrices are multiplied in
/// bfloat16. Error (kUsage) for another word.
at::ScalarType parse_dtype(const std::string& name);
std::string dtype_name(at::ScalarType dtype);

/// "cpu", "cuda", "cuda:1" or "auto" -> device. "auto" is the first CUDA device, else the CPU. Asking for
/// CUDA loads LibTorch's CUDA library at run time; Error (kResource) if there is no such device, (kUsage) for
/// another word.
at::Device parse_device(const std::string& name);

/// The source of a clip's noise: equals torch.Generator("cpu").manual_seed(seed).
at::Generator seeded_generator(uint64_t seed);

/// Standard normal float32 noise of `shape` on the CPU: the first torch.randn of seeded_generator(seed).
Tensor seeded_randn(at::IntArrayRef shape, uint64_t seed);

/// Error (kNumbers) that names `what`, if a value is NaN or infinite. Waits for the device: call it once a
/// phase, not in a loop.
void check_finite(const Tensor& values, const std::string& what);

/// The stream of a GPU for copies beside its computation. On the CPU the calling thread works at once.
class CopyStream {
 public:
  explicit CopyStream(at::Device device);
  /// Runs `work` on the stream and waits for its end, so that every stream can use the result.
  void run(const std::function<void()>& work) const;
  /// Waits for the computations of the calling thread, so that their inputs can be freed.
  void wait_for_computation() const;

 private:
  std::optional<c10::Stream> stream_;  ///< none on the CPU
};

}  // namespace t2v
