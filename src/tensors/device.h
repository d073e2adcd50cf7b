#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tensors/tensor.h"

namespace t2v {

/// "AMD EPYC 9B14, 2 threads", "NVIDIA H100 80GB HBM3".
std::string device_name(at::Device device);

/// Waits until the device has finished all its work.
void synchronize(at::Device device);

/// Peak since the last reset, in bytes: of the tensors on a GPU, of the resident set of the process on a CPU.
uint64_t peak_memory(at::Device device);
void reset_peak_memory(at::Device device);

/// Bytes that can still be allocated on the device.
uint64_t available_memory(at::Device device);

}  // namespace t2v
