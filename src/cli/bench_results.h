#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "t2v/bench.h"

namespace t2v {

/// The version of the JSON that t2v bench writes.
constexpr int kBenchVersion = 1;

nlohmann::ordered_json to_json(const BenchReport& report, std::optional<double> price_per_hour);

/// A table with a line for each result.
std::string describe(const BenchReport& report, std::optional<double> price_per_hour);

/// What two files of results say of the cases that both have.
struct BenchComparison {
  std::string text;
  bool slower = false;  ///< a case of B took more than the allowed share longer
};
/// Compares medians of results whose fingerprints are equal. fail_over: the share in percent that B may take
/// longer; without it nothing counts as slower. Error (kInput) for what t2v bench did not write, or if no
/// case can be compared.
BenchComparison compare_benches(const std::string& a, const std::string& b, std::optional<double> fail_over);

/// A page that needs no network: a table, and plots of time by phase and of time against tokens.
std::string bench_page(const nlohmann::ordered_json& report);

}  // namespace t2v
