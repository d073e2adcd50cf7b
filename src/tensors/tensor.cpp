#include "tensors/tensor.h"

#include <charconv>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include "core/setting.h"

namespace t2v {
namespace {

/// Number of usable CUDA devices. Loads LibTorch's CUDA library, which registers itself.
int64_t cuda_device_count() {
  static const bool loaded = ::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr;
  return loaded ? at::detail::getCUDAHooks().deviceCount() : 0;
}

}  // namespace

at::ScalarType parse_dtype(const std::string& name) {
  if (name == "float32") return at::kFloat;
  if (name == "bfloat16" || name == "fp8") return at::kBFloat16;
  if (name == "float16") return at::kHalf;
  throw Error(
      ErrorCode::kUsage,
      {.doing = setting("dtype"), .got = "'" + name + "'", .expected = "float32, bfloat16, float16 or fp8"});
}

std::string dtype_name(at::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat:
      return "float32";
    case at::kBFloat16:
      return "bfloat16";
    case at::kHalf:
      return "float16";
    default:
      return c10::toString(dtype);
  }
}

at::Device parse_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (name == "auto") return cuda_device_count() > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  int index = 0;
  const bool cuda = name == "cuda" || name.starts_with("cuda:");
  if (cuda && name != "cuda") {
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + 5, end, index);
    if (error != std::errc() || stop != end || index < 0 || index > 127) index = -1;
  }
  if (!cuda || index < 0) {
    throw Error(
        ErrorCode::kUsage,
        {.doing = setting("device"), .got = "'" + name + "'", .expected = "cpu, cuda, cuda:N or auto"});
  }
  const int64_t count = cuda_device_count();
  if (index >= count) {
    throw Error(ErrorCode::kResource, {.doing = setting("device", name),
                                       .got = std::to_string(count) + " usable CUDA devices",
                                       .expected = "at least " + std::to_string(index + 1),
                                       .advice = "use `device` cpu, or check the driver with nvidia-smi"});
  }
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

at::Generator seeded_generator(uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

Tensor seeded_randn(at::IntArrayRef shape, uint64_t seed) {
  return at::randn(shape, seeded_generator(seed), at::kFloat);
}

void check_finite(const Tensor& values, const std::string& what) {
  if (at::isfinite(values).all().item<bool>()) return;
  throw Error(ErrorCode::kNumbers, {.doing = what,
                                    .got = "NaN or infinite values",
                                    .expected = "finite numbers",
                                    .advice = "try `dtype` float32, or check the checkpoint"});
}

CopyStream::CopyStream(at::Device device) {
  if (device.is_cpu()) return;
  stream_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

void CopyStream::run(const std::function<void()>& work) const {
  if (!stream_) return work();
  {
    const c10::StreamGuard guard(*stream_);
    work();
  }
  stream_->synchronize();
}

void CopyStream::wait_for_computation() const {
  if (!stream_) return;
  c10::impl::VirtualGuardImpl(stream_->device_type()).getStream(stream_->device()).synchronize();
}

}  // namespace t2v
