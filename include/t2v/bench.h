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
  std::string device = "auto";     ///< as GenerateRequest's
  std::string dtype;               ///< empty: bfloat16 on a GPU, float32 on a CPU
  int64_t threads = 0;             ///< 0: one a core
  int64_t repeats = 5;             ///< at least so many runs, after two that do not count
  std::filesystem::path model;     ///< of e2e.model and load.model; empty: the bundled one
};

/// One case that can be timed.
struct BenchCase {
  std::string name, description;
  bool on_cpu = false;  ///< of those for a CPU: ends soon on two cores; the others are for a GPU
};
std::vector<BenchCase> bench_cases();

/// What was measured of a case.
struct BenchResult {
  std::string name;
  std::string fingerprint;  ///< equal for what can be compared: the same work in the same numbers
  std::string dtype;
  std::string note;             ///< "one block x 40"; "" for nothing to say
  std::vector<double> seconds;  ///< of each run
  double median = 0, p10 = 0, p90 = 0;
  double tflop = 0;        ///< 10^12 operations of a run, by the plain formulas; 0 of loading
  int64_t bytes = 0;       ///< that loading read
  double tflops = 0;       ///< tflop / median
  double share = 0;        ///< of the matrix product that is measured beside it, in the same dtype
  int64_t tokens = 0;      ///< 0 where there are none
  int64_t peak_bytes = 0;  ///< of the GPU's memory what tensors took; on a CPU of the process
  std::string attention;   ///< who computed it: "flash", "cudnn", ...; "" without any
  std::vector<std::pair<std::string, double>> phases;  ///< of a whole clip: seconds of each
  std::optional<double> joules;                        ///< of the GPU, for a run
  std::optional<int64_t> megahertz;                    ///< of the device, after the runs
};

/// A case that could not be timed.
struct BenchFailure {
  std::string name, reason;
};

/// What was measured, and with what.
struct BenchReport {
  std::string t2v, libtorch, driver, device, device_name;
  int64_t threads = 0;
  std::vector<std::pair<std::string, double>> ceilings;  ///< TFLOP/s of a large matrix product for each dtype
  std::vector<BenchResult> results;
  std::vector<BenchFailure> failures;  ///< cases that did not fit into memory
};

/// Times cases one after the other, on synthetic weights of true shapes, and stores for t2v plan how fast the
/// device is. `on_result` is told of each. One that does not fit into memory does not keep the others from
/// being timed. Error (kUsage) for a case that is not known; (kInput); Stopped.
BenchReport bench(const BenchRequest& request, const RunControl& control,
                  const std::function<void(const BenchResult&)>& on_result = {});

}  // namespace t2v
