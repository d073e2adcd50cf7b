#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace t2v {

/// State of a GPU, from NVIDIA's driver. The driver's libraries are loaded at run time. A value is empty
/// without the libraries, or if the driver does not know it.
class GpuMonitor {
 public:
  /// The GPU that CUDA calls `index` in this process.
  explicit GpuMonitor(int index);
  ~GpuMonitor();

  std::string name() const;  ///< "NVIDIA H100 80GB HBM3"; "" if unknown
  std::optional<uint64_t> total_memory() const;
  std::string driver_version() const;                             ///< "580.65.06"; "" if unknown
  std::optional<int64_t> sm_clock() const, memory_clock() const;  ///< now, in MHz
  std::optional<double> joules() const;                           ///< energy used since the driver was loaded

 private:
  struct Libraries;
  std::unique_ptr<Libraries> libraries_;
};

}  // namespace t2v
