#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "t2v/run.h"

namespace t2v {

/// What to time.
struct BenchRequest {
  std::vector<std::string> cases;  ///< names, or beginnings of names; empty: those for the device
  std::string device = "auto";     ///< as Machine's
  std::string dtype;               ///< empty: bfloat16 on a GPU, float32 on a CPU
  int64_t threads = 0;             ///< 0: one a core
  int64_t repeats = 5;             ///< at least so many runs, after two that do not count
  std::filesystem::path model;     ///< of e2e.model and load.model; empty: tiny-world
};

/// One case that can be timed.
struct BenchCase {
  std::string name, description;
  bool on_cpu = false;  ///< of those for a CPU: ends soon on two cores; the others are for a GPU
};
std::vector<BenchCase> bench_cases();

/// Seconds of a case's runs.
struct BenchTimes {
  std::vector<double> runs;
  double median = 0, p10 = 0, p90 = 0;
};

/// Speed of the computation, in TFLOP/s.
struct BenchRate {
  double tflops = 0;   ///< tflop / median
  double ceiling = 0;  ///< of a large matrix product in the same dtype, before and after the case; 0 for
                       ///< loading and for whole clips, which use several dtypes
  double share = 0;  ///< of the ceiling, if there is one; above 1 for faster work. Zeros before a VAE's first
                     ///< frame count in tflop; they are not computed, and do not count here
};

/// Measurements of one case.
struct BenchResult {
  std::string name;
  std::string fingerprint;  ///< equal if two results can be compared: the same work in the same numbers
  std::string dtype;
  std::string note;  ///< "one block x 40"; may be empty
  BenchTimes times;
  double tflop = 0;   ///< 10^12 operations of a run, by the plain formulas; 0 for loading
  int64_t bytes = 0;  ///< read by loading
  BenchRate rate;
  int64_t tokens = 0;      ///< 0 for a case without tokens
  int64_t peak_bytes = 0;  ///< of the GPU's memory, by tensors; on a CPU of the process
  std::string attention;   ///< the kernel that computed it: "flash", "cudnn", ...; "" without attention
  std::vector<std::pair<std::string, double>> phases;  ///< of a whole clip: seconds of each
  std::optional<double> joules;                        ///< of the GPU, for a run
  std::optional<int64_t> megahertz;                    ///< of the device, after the runs
};

/// A case that could not be timed.
struct BenchFailure {
  std::string name, reason;
  bool asked = false;  ///< by its full name
};

/// What was measured, and with what.
struct BenchReport {
  std::string t2v, libtorch, driver, device, device_name;
  int64_t threads = 0;
  std::vector<std::pair<std::string, double>> ceilings;  ///< TFLOP/s of a large matrix product for each dtype
  std::vector<BenchResult> results;
  std::vector<BenchFailure> failures;  ///< cases that do not fit into memory or on the disk
};

/// A case as bench() would time it, told from shapes alone.
struct PlannedCase {
  std::string name, description;
  std::string note;     ///< as BenchResult's
  int64_t tokens = 0;   ///< 0 where there are none
  int64_t memory = 0;   ///< bytes of the device that it takes, about
  int64_t disk = 0;     ///< bytes of the file that it writes, reads and removes
  std::string refusal;  ///< why it would not be timed; "" if it would
  bool asked = false;   ///< by its full name
};

/// What bench() would do.
struct BenchPlan {
  std::string device, device_name, dtype;
  int64_t threads = 0;
  int64_t repeats = 0;
  int64_t memory_available = 0;  ///< bytes of the device; 0 if the system does not tell
  std::filesystem::path folder;  ///< of the files
  int64_t disk_free = 0;         ///< bytes there; 0 if unknown
  std::vector<PlannedCase> cases;
};

/// Error as bench(); nothing is timed or written.
BenchPlan plan_bench(const BenchRequest& request);

/// Times cases one after the other, on synthetic weights of true shapes, and stores for t2v plan how fast the
/// device is. `on_result` is told of each. One that does not fit into memory does not keep the others from
/// being timed. Error (kUsage) for a case that is not known; (kInput); Stopped.
BenchReport bench(const BenchRequest& request, const RunControl& control,
                  const std::function<void(const BenchResult&)>& on_result = {});

}  // namespace t2v
