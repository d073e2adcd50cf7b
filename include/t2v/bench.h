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

/// The cases to time, and the device.
struct BenchRequest {
  std::vector<std::string> cases;  ///< names, or beginnings of names; empty: all cases for the device
  std::string device = "auto";     ///< as Machine::device
  std::string dtype;               ///< empty: bfloat16 on a GPU, float32 on a CPU
  int64_t threads = 0;             ///< 0: one a core
  int64_t repeats = 5;             ///< the least number of runs, after two warm-ups
  std::filesystem::path model;     ///< for e2e.model and load.model; empty: tiny-world
};

/// One case that can be timed.
struct BenchCase {
  std::string name, description;
  bool on_cpu = false;  ///< false: a case for a GPU, which takes long on two cores
};
std::vector<BenchCase> bench_cases();

/// Times of the runs of a case, in seconds.
struct BenchTimes {
  std::vector<double> runs;
  double median = 0, p10 = 0, p90 = 0;
};

/// Speed of the computation, in TFLOP/s.
struct BenchRate {
  double tflops = 0;   ///< tflop / median
  double ceiling = 0;  ///< speed of a large matrix product in the same dtype, before and after the case; 0
                       ///< for loading and for whole clips, which use several dtypes
  double share = 0;    ///< tflops / ceiling; 0 without a ceiling
};

/// Measurements of one case.
struct BenchResult {
  std::string name;
  std::string fingerprint;  ///< equal for the same work in the same dtype
  std::string dtype;
  std::string note;  ///< "one block x 40"; may be empty
  BenchTimes times;
  double tflop = 0;   ///< 10^12 operations of a run: products, convolutions, attention; 0 for loading
  int64_t bytes = 0;  ///< bytes that loading reads
  BenchRate rate;
  int64_t tokens = 0;      ///< 0 for a case without tokens
  int64_t peak_bytes = 0;  ///< of tensors on a GPU, of the process on a CPU
  std::string attention;   ///< the kernel of attention: "flash", "cudnn", ...; "" without attention
  std::vector<std::pair<std::string, double>> phases;  ///< of a whole clip: name and seconds of each phase
  std::optional<double> joules;                        ///< energy of the GPU for a run
  std::optional<int64_t> megahertz;                    ///< clock of the device after the runs
};

/// A case that could not be timed.
struct BenchFailure {
  std::string name, reason;
  bool asked = false;  ///< the request has its full name
};

/// The results of bench(), and the machine.
struct BenchReport {
  std::string t2v, libtorch, driver, device, device_name;
  int64_t threads = 0;
  std::vector<std::pair<std::string, double>> ceilings;  ///< TFLOP/s of a large matrix product for each dtype
  std::vector<BenchResult> results;
  std::vector<BenchFailure> failures;  ///< cases that do not fit into memory or on the disk
};

/// A case that bench() would time, planned from shapes alone.
struct PlannedCase {
  std::string name, description;
  std::string note;     ///< as BenchResult::note
  int64_t tokens = 0;   ///< 0 for a case without tokens
  int64_t memory = 0;   ///< approximate bytes on the device
  int64_t disk = 0;     ///< bytes of its temporary file
  std::string refusal;  ///< reason why bench() would not time it; "" if it would
  bool asked = false;   ///< the request has its full name
};

/// The work of bench().
struct BenchPlan {
  std::string device, device_name, dtype;
  int64_t threads = 0;
  int64_t repeats = 0;
  int64_t memory_available = 0;  ///< bytes of the device; 0 if unknown
  std::filesystem::path folder;  ///< folder of the temporary files
  int64_t disk_free = 0;         ///< free bytes in the folder; 0 if unknown
  std::vector<PlannedCase> cases;
};

/// Plans bench() without timing or writing anything. Error as bench().
BenchPlan plan_bench(const BenchRequest& request);

/// Times cases one after the other, on synthetic weights with the shapes of published models. Stores the
/// speed of the device for plan(). Calls `on_result` after each case. A case that does not fit into memory
/// becomes a BenchFailure. Error (kUsage) for an unknown case; (kInput); Stopped.
BenchReport bench(const BenchRequest& request, const RunControl& control,
                  const std::function<void(const BenchResult&)>& on_result = {});

}  // namespace t2v
