#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace t2v {

/// The results of one case in two files.
struct ComparedCase {
  /// kOtherWork: another size, number format or model. kSlower, kMissing and kOtherWork fail the comparison.
  enum class Verdict { kFine, kSlower, kMissing, kNew, kOtherWork };
  std::string name;
  Verdict verdict = Verdict::kFine;
  std::optional<double> a, b;  ///< medians in seconds
};

/// The comparison of all cases in files A and B.
struct BenchComparison {
  std::string device_a, device_b;
  std::optional<double> fail_over;
  std::vector<ComparedCase> cases;

  /// Why the comparison fails: "2 cases slower, 1 case missing"; "" if it passes or has no fail_over.
  std::string failure() const;
};

/// Compares the medians of results with equal fingerprints. With `fail_over`, a case of B may take that many
/// percent longer, no case may be missing, and device and number of threads must be the same. Error (kInput)
/// for a file that t2v bench did not write, or if no case can be compared; (kUsage) for another device.
BenchComparison compare_benches(const std::string& a, const std::string& b, std::optional<double> fail_over);

/// A table with a line for each case.
std::string describe(const BenchComparison& comparison);
nlohmann::ordered_json to_json(const BenchComparison& comparison);

}  // namespace t2v
