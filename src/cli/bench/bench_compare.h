#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace t2v {

/// What two files of results say of one case.
struct ComparedCase {
  /// kOtherWork: of other sizes, numbers or another model. Slower, missing and other work fail a gate.
  enum class Verdict { kFine, kSlower, kMissing, kNew, kOtherWork };
  std::string name;
  Verdict verdict = Verdict::kFine;
  std::optional<double> a, b;  ///< medians in seconds
};

/// All cases of A and B.
struct BenchComparison {
  std::string device_a, device_b;
  std::optional<double> fail_over;
  std::vector<ComparedCase> cases;

  /// What a gate objects to: "2 cases slower, 1 missing"; "" for nothing, and without fail_over.
  std::string objection() const;
};

/// Compares medians of results whose fingerprints are equal. fail_over: the share in percent that B may take
/// longer; with it nothing may be missing, and both have to be of the same device and number of threads.
/// Error (kInput) for what t2v bench did not write, or if no case can be compared; (kUsage) for another
/// device.
BenchComparison compare_benches(const std::string& a, const std::string& b, std::optional<double> fail_over);

/// A table with a line for each case.
std::string describe(const BenchComparison& comparison);
nlohmann::ordered_json to_json(const BenchComparison& comparison);

}  // namespace t2v
