#include "bench_results.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

#include "format.h"
#include "t2v/error.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;

std::string rate_of(const BenchResult& result) {
  if (result.bytes > 0)
    return formatted("%.2f GB/s", static_cast<double>(result.bytes) / result.median / 1e9);
  return formatted("%.4g TFLOP/s", result.tflops);
}

std::optional<double> price_of(const BenchResult& result, std::optional<double> price_per_hour) {
  if (!price_per_hour) return std::nullopt;
  return *price_per_hour * result.median / 3600;
}

/// A value, or null.
template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const BenchResult& result, std::optional<double> price_per_hour) {
  Json phases = Json::object();
  for (const auto& [name, seconds] : result.phases) phases[name] = seconds;
  return {{"name", result.name},
          {"fingerprint", result.fingerprint},
          {"dtype", result.dtype},
          {"note", result.note},
          {"seconds", result.seconds},
          {"median", result.median},
          {"p10", result.p10},
          {"p90", result.p90},
          {"tflop", result.tflop},
          {"tflops", result.tflops},
          {"share", result.share},
          {"bytes", result.bytes},
          {"tokens", result.tokens},
          {"peak_bytes", result.peak_bytes},
          {"attention", result.attention},
          {"phases", phases},
          {"joules", or_null(result.joules)},
          {"megahertz", or_null(result.megahertz)},
          {"price", or_null(price_of(result, price_per_hour))}};
}

/// The results in a file, by name.
std::map<std::string, Json> read_results(const std::string& file) {
  const auto refuse = [&](const std::string& got) -> std::map<std::string, Json> {
    throw Error(ErrorCode::kInput,
                {.doing = "reading " + file, .got = got, .expected = "what t2v bench --json wrote"});
  };
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return refuse("a file that cannot be opened");
  const Json content = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  try {
    if (content.at("version") != kBenchVersion) return refuse("another version");
    std::map<std::string, Json> results;
    for (const Json& result : content.at("results")) {
      result.at("fingerprint").get<std::string>();
      if (!(result.at("median").get<double>() > 0)) return refuse("a median that is not above 0");
      results.emplace(result.at("name").get<std::string>(), result);
    }
    return results;
  } catch (const nlohmann::json::exception&) {
    return refuse("something else");
  }
}

}  // namespace

Json to_json(const BenchReport& report, std::optional<double> price_per_hour) {
  Json ceilings = Json::object(), results = Json::array();
  for (const auto& [dtype, tflops] : report.ceilings) ceilings[dtype] = tflops;
  for (const BenchResult& result : report.results) results.push_back(to_json(result, price_per_hour));
  return {{"version", kBenchVersion},  {"t2v", report.t2v},       {"libtorch", report.libtorch},
          {"driver", report.driver},   {"device", report.device}, {"device_name", report.device_name},
          {"threads", report.threads}, {"ceilings", ceilings},    {"price_per_hour", or_null(price_per_hour)},
          {"results", results}};
}

std::string describe(const BenchReport& report, std::optional<double> price_per_hour) {
  std::string text = report.device_name + ", t2v " + report.t2v + ", LibTorch " + report.libtorch +
                     (report.driver.empty() ? "" : ", driver " + report.driver) + '\n';
  for (const auto& [dtype, tflops] : report.ceilings) {
    text += formatted("matrix products in %s: %.4g TFLOP/s\n", dtype.c_str(), tflops);
  }
  text += formatted("\n%-18s %-9s %10s %10s %10s %15s %6s %10s\n", "case", "dtype", "median", "p10", "p90",
                    "rate", "share", "memory");
  for (const BenchResult& result : report.results) {
    text += formatted("%-18s %-9s %10s %10s %10s %15s ", result.name.c_str(), result.dtype.c_str(),
                      in_seconds(result.median).c_str(), in_seconds(result.p10).c_str(),
                      in_seconds(result.p90).c_str(), rate_of(result).c_str());
    text +=
        formatted("%6s %6.2f GiB", result.share > 0 ? formatted("%.0f %%", 100 * result.share).c_str() : "-",
                  static_cast<double>(result.peak_bytes) / (1 << 30));
    if (!result.attention.empty()) text += "  attention: " + result.attention;
    if (!result.note.empty()) text += "  " + result.note;
    if (result.joules) text += formatted("  %.4g J", *result.joules);
    if (const auto price = price_of(result, price_per_hour)) text += formatted("  %.4g", *price);
    text += '\n';
    for (const auto& [name, seconds] : result.phases) {
      text += formatted("  %-16s %20s\n", name.c_str(), in_seconds(seconds).c_str());
    }
  }
  return text;
}

BenchComparison compare_benches(const std::string& a, const std::string& b, std::optional<double> fail_over) {
  const std::map<std::string, Json> old_results = read_results(a), new_results = read_results(b);
  BenchComparison comparison{.text = formatted("%-18s %10s %10s %8s\n", "case", "A", "B", "B / A")};
  int compared = 0;
  for (const auto& [name, now] : new_results) {
    const auto before = old_results.find(name);
    if (before == old_results.end()) continue;
    if (before->second.at("fingerprint") != now.at("fingerprint")) {
      comparison.text += formatted("%-18s other work: not compared\n", name.c_str());
      continue;
    }
    const double old_median = before->second.at("median"), median = now.at("median");
    const bool slower = fail_over && median > old_median * (1 + *fail_over / 100);
    comparison.slower |= slower;
    comparison.text += formatted("%-18s %10s %10s %8.3f%s\n", name.c_str(), in_seconds(old_median).c_str(),
                                 in_seconds(median).c_str(), median / old_median, slower ? "  slower" : "");
    ++compared;
  }
  if (compared == 0) {
    throw Error(ErrorCode::kInput, {.doing = "comparing " + a + " with " + b,
                                    .got = "no case that both have",
                                    .expected = "results of the same cases, device dtype and model"});
  }
  return comparison;
}

}  // namespace t2v
