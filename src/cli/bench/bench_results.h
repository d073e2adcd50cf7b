#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "cli/screen/progress.h"
#include "t2v/bench.h"

namespace t2v {

nlohmann::ordered_json to_json(const BenchReport& report, std::optional<double> price_per_hour);

/// A table with a line for each result.
std::string describe(const BenchReport& report, std::optional<double> price_per_hour);

/// A table with a line for each case that would be measured.
std::string describe(const BenchPlan& plan);
nlohmann::ordered_json to_json(const BenchPlan& plan);

/// Compares the results of two files of t2v bench and prints a line for each case, or JSON. Returns the exit
/// code. With `fail_over`, a case of B may take that many percent longer, no case may be missing, and device
/// and number of threads must be the same. Error (kInput) for a file that t2v bench did not write, or if no
/// case can be compared; (kUsage) for another device.
int compare_benches(const std::string& a, const std::string& b, std::optional<double> fail_over, bool json,
                    Progress& progress);

}  // namespace t2v
