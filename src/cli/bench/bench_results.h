#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "t2v/bench.h"

namespace t2v {

/// Version of the JSON that t2v bench writes.
constexpr int kBenchVersion = 1;

nlohmann::ordered_json to_json(const BenchReport& report, std::optional<double> price_per_hour);

/// A table with a line for each result.
std::string describe(const BenchReport& report, std::optional<double> price_per_hour);

/// A table with a line for each case that would be measured.
std::string describe(const BenchPlan& plan);
nlohmann::ordered_json to_json(const BenchPlan& plan);

}  // namespace t2v
