#include "tensors/device.h"

#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "core/gpu_monitor.h"
#include "core/machine.h"

namespace t2v {
namespace {

// Index of the statistics of LibTorch's allocator over all its pools.
constexpr auto kAllPools = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);

}  // namespace

std::string device_name(at::Device device) {
  if (device.is_cpu()) {
    const int threads = at::get_num_threads();
    return processor_name() + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  }
  const std::string name = GpuMonitor(device.index()).name();
  return name.empty() ? device.str() : name;
}

void synchronize(at::Device device) {
  if (device.is_cpu()) return;
  c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

uint64_t peak_memory(at::Device device) {
  if (device.is_cpu()) return peak_resident_memory();
  const auto stats = c10::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  return static_cast<uint64_t>(stats.allocated_bytes[kAllPools].peak);
}

void reset_peak_memory(at::Device device) {
  if (device.is_cpu()) return reset_peak_resident_memory();
  c10::getDeviceAllocator(device.type())->resetPeakStats(device.index());
}

uint64_t available_memory(at::Device device) {
  if (device.is_cpu()) return available_memory();
  return c10::getDeviceAllocator(device.type())->getMemoryInfo(device.index()).first;
}

}  // namespace t2v
