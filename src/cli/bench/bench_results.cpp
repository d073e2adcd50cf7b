#include "bench_results.h"

#include <nlohmann/json.hpp>

#include "cli/screen/format.h"
#include "cli/screen/in_flags.h"
#include "core/text.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;

std::string rate_of(const BenchResult& result) {
  if (result.bytes > 0)
    return formatted("%.2f GB/s", static_cast<double>(result.bytes) / result.times.median / 1e9);
  return formatted("%.4g TFLOP/s", result.rate.tflops);
}

std::optional<double> price_of(const BenchResult& result, std::optional<double> price_per_hour) {
  if (!price_per_hour) return std::nullopt;
  return *price_per_hour * result.times.median / 3600;
}

/// A value, or null.
template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// Seconds that a run uses the GPU; nothing on a CPU.
std::optional<double> gpu_seconds_of(const BenchReport& report, const BenchResult& result) {
  return report.device == "cpu" ? std::nullopt : std::optional(result.times.median);
}

Json to_json(const BenchReport& report, const BenchResult& result, std::optional<double> price_per_hour) {
  Json phases = Json::object();
  for (const auto& [name, seconds] : result.phases) phases[name] = seconds;
  return {{"name", result.name},
          {"fingerprint", result.fingerprint},
          {"dtype", result.dtype},
          {"note", result.note},
          {"seconds", result.times.runs},
          {"median", result.times.median},
          {"p10", result.times.p10},
          {"p90", result.times.p90},
          {"tflop", result.tflop},
          {"tflops", result.rate.tflops},
          {"ceiling", result.rate.ceiling > 0 ? Json(result.rate.ceiling) : Json(nullptr)},
          {"share", result.rate.ceiling > 0 ? Json(result.rate.share) : Json(nullptr)},
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
  Json ceilings = Json::object(), results = Json::array(), failed = Json::array(), skipped = Json::array();
  for (const auto& [dtype, tflops] : report.ceilings) ceilings[dtype] = tflops;
  for (const BenchResult& result : report.results) results.push_back(to_json(report, result, price_per_hour));
  for (const auto& [name, reason, asked] : report.failures)
    (asked ? failed : skipped).push_back({{"name", name}, {"reason", in_flags(reason)}});
  return {{"version", kBenchVersion},  {"t2v", report.t2v},       {"libtorch", report.libtorch},
          {"driver", report.driver},   {"device", report.device}, {"device_name", report.device_name},
          {"threads", report.threads}, {"ceilings", ceilings},    {"price_per_hour", or_null(price_per_hour)},
          {"results", results},        {"failed", failed},        {"skipped", skipped}};
}

std::string describe(const BenchReport& report, std::optional<double> price_per_hour) {
  std::string text = report.device_name + ", t2v " + report.t2v + ", LibTorch " + report.libtorch +
                     (report.driver.empty() ? "" : ", driver " + report.driver) + '\n';
  for (const auto& [dtype, tflops] : report.ceilings) {
    text += formatted("matrix products in %s: %.4g TFLOP/s\n", dtype.c_str(), tflops);
  }
  text += formatted("\n%-18s %-9s %10s %10s %10s %15s %6s %10s", "case", "dtype", "median", "p10", "p90",
                    "rate", "share", "memory");
  text += price_per_hour ? formatted(" %12s\n", "price/run") : "\n";
  for (const BenchResult& result : report.results) {
    text += formatted("%-18s %-9s %10s %10s %10s %15s ", result.name.c_str(), result.dtype.c_str(),
                      format_seconds(result.times.median).c_str(), format_seconds(result.times.p10).c_str(),
                      format_seconds(result.times.p90).c_str(), rate_of(result).c_str());
    text += formatted("%6s %6.2f GiB",
                      result.rate.share > 0 ? formatted("%.0f %%", 100 * result.rate.share).c_str() : "-",
                      static_cast<double>(result.peak_bytes) / (1 << 30));
    if (const auto price = price_of(result, price_per_hour)) text += formatted(" %12.4g", *price);
    if (!result.attention.empty()) text += "  attention: " + result.attention;
    if (!result.note.empty()) text += "  " + result.note;
    const auto gpu_seconds = gpu_seconds_of(report, result);
    if (gpu_seconds && !result.phases.empty()) text += formatted("  %.4g GPU s", *gpu_seconds);
    if (result.joules) text += formatted("  %.4g J", *result.joules);
    text += '\n';
    for (const auto& [name, seconds] : result.phases) {
      text += formatted("  %-16s %20s\n", name.c_str(), format_seconds(seconds).c_str());
    }
  }
  for (const BenchFailure& failure : report.failures)
    text += formatted("%-18s not timed: %s\n", failure.name.c_str(), in_flags(failure.reason).c_str());
  if (price_per_hour) {
    text += formatted("price/run: of a clip for e2e; the machine at %g an hour, in that currency\n",
                      *price_per_hour);
  }
  return text;
}

Json to_json(const BenchPlan& plan) {
  Json cases = Json::array();
  for (const PlannedCase& planned : plan.cases) {
    cases.push_back({{"name", planned.name},
                     {"description", in_flags(planned.description)},
                     {"note", planned.note},
                     {"tokens", planned.tokens},
                     {"memory_bytes", planned.memory},
                     {"disk_bytes", planned.disk},
                     {"refusal", planned.refusal.empty() ? Json(nullptr) : Json(in_flags(planned.refusal))}});
  }
  return {{"device", plan.device},
          {"device_name", plan.device_name},
          {"dtype", plan.dtype},
          {"threads", plan.threads},
          {"repeats", plan.repeats},
          {"memory_available_bytes", plan.memory_available},
          {"folder", plan.folder.string()},
          {"disk_free_bytes", plan.disk_free},
          {"cases", cases}};
}

std::string describe(const BenchPlan& plan) {
  std::string text =
      plan.device_name + ", " + plan.dtype +
      formatted("; each twice to warm up, then at least %lld times\n", static_cast<long long>(plan.repeats));
  if (plan.memory_available > 0)
    text += "memory  " + format_bytes(plan.memory_available) + " can be allocated now\n";
  if (plan.disk_free > 0) {
    text += "disk    " + format_bytes(plan.disk_free) + " are free in " +
            escape_for_display(plan.folder.string()) + '\n';
  }
  text += formatted("\n%-18s %10s %10s %8s  %s\n", "case", "memory", "disk", "tokens", "what");
  for (const PlannedCase& planned : plan.cases) {
    const std::string tokens = planned.tokens > 0 ? std::to_string(planned.tokens) : "-";
    text += formatted("%-18s %10s %10s %8s  ", planned.name.c_str(), format_bytes(planned.memory).c_str(),
                      planned.disk > 0 ? format_bytes(planned.disk).c_str() : "-", tokens.c_str()) +
            in_flags(planned.description) + (planned.note.empty() ? "" : "; " + planned.note) + '\n';
    if (!planned.refusal.empty()) text += "  skipped: " + in_flags(planned.refusal) + '\n';
  }
  return text;
}

}  // namespace t2v
