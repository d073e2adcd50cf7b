#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tensors/tensor.h"

namespace t2v {

/// "AMD EPYC 9B14, 2 threads", "NVIDIA H100 80GB HBM3".
std::string device_name(at::Device device);

/// Waits until the device has done all it was asked to.
void synchronize(at::Device device);

/// The most memory, in bytes, that tensors took on the device since the last reset; on the CPU the most of
/// this process that was in memory.
uint64_t peak_memory(at::Device device);
void reset_peak_memory(at::Device device);

/// What can still be allocated there.
uint64_t available_memory(at::Device device);

}  // namespace t2v
