#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "t2v/bench.h"

namespace t2v {

/// The version of the JSON that t2v bench writes.
constexpr int kBenchVersion = 1;

/// What the column of prices is in, as a sentence without its full stop.
std::string price_unit(double price_per_hour);

nlohmann::ordered_json to_json(const BenchReport& report, std::optional<double> price_per_hour);

/// A table with a line for each result.
std::string describe(const BenchReport& report, std::optional<double> price_per_hour);

/// What would be timed.
nlohmann::ordered_json to_json(const BenchPlan& plan);
std::string describe(const BenchPlan& plan);

/// A page that needs no network: a table, and plots of time by phase and of time against tokens.
std::string bench_page(const nlohmann::ordered_json& report);

}  // namespace t2v
