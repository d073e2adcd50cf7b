#include "bench_results.h"

#include <nlohmann/json.hpp>

#include "format.h"

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

/// For how long a run has the GPU; nothing on a CPU.
std::optional<double> gpu_seconds_of(const BenchReport& report, const BenchResult& result) {
  return report.device == "cpu" ? std::nullopt : std::optional(result.median);
}

Json to_json(const BenchReport& report, const BenchResult& result, std::optional<double> price_per_hour) {
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
          {"gpu_seconds", or_null(gpu_seconds_of(report, result))},
          {"joules", or_null(result.joules)},
          {"megahertz", or_null(result.megahertz)},
          {"price", or_null(price_of(result, price_per_hour))}};
}

}  // namespace

Json to_json(const BenchReport& report, std::optional<double> price_per_hour) {
  Json ceilings = Json::object(), results = Json::array(), failed = Json::array();
  for (const auto& [dtype, tflops] : report.ceilings) ceilings[dtype] = tflops;
  for (const BenchResult& result : report.results) results.push_back(to_json(report, result, price_per_hour));
  for (const auto& [name, reason] : report.failures) failed.push_back({{"name", name}, {"reason", reason}});
  return {{"version", kBenchVersion},  {"t2v", report.t2v},       {"libtorch", report.libtorch},
          {"driver", report.driver},   {"device", report.device}, {"device_name", report.device_name},
          {"threads", report.threads}, {"ceilings", ceilings},    {"price_per_hour", or_null(price_per_hour)},
          {"results", results},        {"failed", failed}};
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
    const auto gpu_seconds = gpu_seconds_of(report, result);
    if (gpu_seconds && !result.phases.empty()) text += formatted("  %.4g GPU s", *gpu_seconds);
    if (result.joules) text += formatted("  %.4g J", *result.joules);
    if (const auto price = price_of(result, price_per_hour)) text += formatted("  %.4g", *price);
    text += '\n';
    for (const auto& [name, seconds] : result.phases) {
      text += formatted("  %-16s %20s\n", name.c_str(), in_seconds(seconds).c_str());
    }
  }
  for (const auto& [name, reason] : report.failures)
    text += formatted("%-18s not timed: %s\n", name.c_str(), reason.c_str());
  return text;
}

}  // namespace t2v
