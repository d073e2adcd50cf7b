#pragma once

#include <cstdint>
#include <functional>

#include "tensors/tensor.h"

namespace t2v {

/// Cost of work on tensors.
struct Cost {
  double flops = 0;  ///< of products, convolutions and attention; a multiplication and an addition are two
  double attention = 0;   ///< the part of the flops that attention takes
  double peak_bytes = 0;  ///< the most bytes that are allocated at once
  double kept_bytes = 0;  ///< bytes that are still allocated at the end
};

/// Growth of memory with the tensors on a device.
struct Allocation {
  bool on_cpu = true;
  /// Tensors below `small` bytes take more than their size: `overhead` times for the smallest, and
  /// `least_overhead` times at `small` bytes.
  uint64_t small = 0;
  double overhead = 1, least_overhead = 1;
};
Allocation host_allocation();  ///< glibc's heap; small tensors leave holes in it
Allocation gpu_allocation();

/// Runs `work` on tensors without values (LibTorch's meta device) and counts its cost on a device. Tensors
/// from before `work` are not counted.
Cost cost_of(const Allocation& allocation, const std::function<void()>& work);

// For kernels that compute tensors without values.

/// Whether the cost is counted for a CPU.
bool counts_for_cpu();
/// Adds to the count of this thread, if it counts.
void count_flops(double flops);

}  // namespace t2v
