#include "core/gpu_monitor.h"

#include <dlfcn.h>

#include <array>

namespace t2v {
namespace {

/// The function `name` of a library; nullptr if the library lacks it.
template <typename Signature>
Signature* function(void* library, const char* name) {
  return library == nullptr ? nullptr : reinterpret_cast<Signature*>(::dlsym(library, name));
}

template <typename Signature, typename... Arguments>
bool call(void* library, const char* name, Arguments... arguments) {
  auto* const called = function<Signature>(library, name);
  return called != nullptr && called(arguments...) == 0;
}

}  // namespace

/// The CUDA driver and NVML. Numbers and signatures are from their C headers, cuda.h and nvml.h.
struct GpuMonitor::Libraries {
  void* cuda = nullptr;
  void* nvml = nullptr;
  int device = -1;              ///< the driver's number; -1: there is none
  void* nvml_device = nullptr;  ///< nvmlDevice_t

  static constexpr int kSmClock = 1, kMemoryClock = 2;  // of nvmlClockType_t

  explicit Libraries(int index) {
    cuda = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!call<int(unsigned)>(cuda, "cuInit", 0U) ||
        !call<int(int*, int)>(cuda, "cuDeviceGet", &device, index)) {
      device = -1;
      return;
    }
    nvml = ::dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    std::array<char, 32> bus{};
    const bool known = call<int()>(nvml, "nvmlInit_v2") &&
                       call<int(char*, int, int)>(cuda, "cuDeviceGetPCIBusId", bus.data(),
                                                  static_cast<int>(bus.size()), device) &&
                       call<int(const char*, void**)>(nvml, "nvmlDeviceGetHandleByPciBusId_v2",
                                                      static_cast<const char*>(bus.data()), &nvml_device);
    if (!known) nvml_device = nullptr;
  }

  // Neither library is closed, because LibTorch uses both too.
  ~Libraries() {
    if (nvml != nullptr) call<int()>(nvml, "nvmlShutdown");
  }

  std::optional<int64_t> clock(int kind) const {
    unsigned megahertz = 0;
    const bool known =
        nvml_device != nullptr &&
        call<int(void*, int, unsigned*)>(nvml, "nvmlDeviceGetClockInfo", nvml_device, kind, &megahertz);
    return known ? std::optional<int64_t>(megahertz) : std::nullopt;
  }
};

GpuMonitor::GpuMonitor(int index) : libraries_(std::make_unique<Libraries>(index)) {}
GpuMonitor::~GpuMonitor() = default;

std::string GpuMonitor::name() const {
  std::array<char, 128> name{};
  const bool known = libraries_->device >= 0 &&
                     call<int(char*, int, int)>(libraries_->cuda, "cuDeviceGetName", name.data(),
                                                static_cast<int>(name.size()) - 1, libraries_->device);
  return known ? name.data() : "";
}

std::optional<uint64_t> GpuMonitor::total_memory() const {
  size_t bytes = 0;
  const bool known =
      libraries_->device >= 0 &&
      call<int(size_t*, int)>(libraries_->cuda, "cuDeviceTotalMem_v2", &bytes, libraries_->device);
  return known ? std::optional<uint64_t>(bytes) : std::nullopt;
}

std::string GpuMonitor::driver_version() const {
  std::array<char, 96> version{};
  const bool known = libraries_->nvml_device != nullptr &&
                     call<int(char*, unsigned)>(libraries_->nvml, "nvmlSystemGetDriverVersion",
                                                version.data(), static_cast<unsigned>(version.size()));
  return known ? version.data() : "";
}

std::optional<int64_t> GpuMonitor::sm_clock() const { return libraries_->clock(Libraries::kSmClock); }
std::optional<int64_t> GpuMonitor::memory_clock() const { return libraries_->clock(Libraries::kMemoryClock); }

std::optional<double> GpuMonitor::joules() const {
  unsigned long long millijoules = 0;
  const bool known =
      libraries_->nvml_device != nullptr &&
      call<int(void*, unsigned long long*)>(libraries_->nvml, "nvmlDeviceGetTotalEnergyConsumption",
                                            libraries_->nvml_device, &millijoules);
  return known ? std::optional<double>(static_cast<double>(millijoules) / 1000) : std::nullopt;
}

}  // namespace t2v
