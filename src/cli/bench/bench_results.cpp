#include "bench_results.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/screen/format.h"
#include "cli/screen/in_flags.h"
#include "cli/screen/streams.h"
#include "core/text.h"
#include "t2v/error.h"

namespace t2v {
namespace {

/// Version of the JSON that t2v bench writes.
constexpr int kBenchVersion = 1;

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

using Verdict = ComparedCase::Verdict;

/// The result of one case in a file.
struct Timed {
  std::string fingerprint;
  double median;
};

/// The part of a file that is compared.
struct Results {
  std::string device;  ///< "AMD EPYC 9B14, 2 threads"
  std::map<std::string, Timed> cases;
};

Results read_results(const std::string& file) {
  const auto refuse = [&](const std::string& got) -> Results {
    throw Error(ErrorCode::kInput,
                {.doing = "reading " + file, .got = got, .expected = "what t2v bench --json wrote"});
  };
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return refuse(file_trouble(errno));
  const Json content = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  try {
    if (content.at("version") != kBenchVersion) return refuse("another version");
    Results results{.device = content.at("device_name"), .cases = {}};
    // The name of a processor has them already.
    if (content.at("device") != "cpu")
      results.device += ", " + std::to_string(content.at("threads").get<int64_t>()) + " threads";
    for (const Json& result : content.at("results")) {
      const Timed timed{result.at("fingerprint").get<std::string>(), result.at("median").get<double>()};
      if (!(timed.median > 0)) return refuse("a median that is not above 0");
      results.cases.emplace(result.at("name").get<std::string>(), timed);
    }
    return results;
  } catch (const nlohmann::json::exception&) {
    return refuse("something else");
  }
}

ComparedCase compare(const std::string& name, const Timed& before, const Timed& now,
                     std::optional<double> fail_over) {
  ComparedCase compared{.name = name, .a = before.median, .b = now.median};
  if (before.fingerprint != now.fingerprint) {
    compared.verdict = Verdict::kOtherWork;
  } else if (fail_over && now.median > before.median * (1 + *fail_over / 100)) {
    compared.verdict = Verdict::kSlower;
  }
  return compared;
}

const char* word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSlower:
      return "slower";
    case Verdict::kMissing:
      return "missing";
    case Verdict::kNew:
      return "new";
    case Verdict::kOtherWork:
      return "other work";
    case Verdict::kFine:
      break;
  }
  return "";
}

/// B / A, if both did the same work.
std::optional<double> ratio_of(const ComparedCase& compared) {
  const bool same = compared.a && compared.b && compared.verdict != Verdict::kOtherWork;
  return same ? std::optional(*compared.b / *compared.a) : std::nullopt;
}

std::string BenchComparison::failure() const {
  std::string text;
  if (!fail_over) return text;
  for (const Verdict verdict : {Verdict::kSlower, Verdict::kMissing, Verdict::kOtherWork}) {
    const auto count = std::count_if(cases.begin(), cases.end(), [verdict](const ComparedCase& compared) {
      return compared.verdict == verdict;
    });
    if (count == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(count) + (count == 1 ? " case " : " cases ") +
            word_of(verdict);
  }
  return text;
}

/// The medians of results with equal fingerprints.
BenchComparison compared(const std::string& a, const std::string& b, std::optional<double> fail_over) {
  const Results before = read_results(a), now = read_results(b);
  if (fail_over && before.device != now.device) {
    throw Error(ErrorCode::kUsage, {.doing = "--fail-over",
                                    .got = escape_for_display(before.device) + " in " + a + " and " +
                                           escape_for_display(now.device) + " in " + b,
                                    .expected = "results of one device with as many threads",
                                    .advice = "without --fail-over they are compared"});
  }
  BenchComparison comparison{
      .device_a = before.device, .device_b = now.device, .fail_over = fail_over, .cases = {}};
  for (const auto& [name, timed] : before.cases) {
    const auto found = now.cases.find(name);
    comparison.cases.push_back(
        found == now.cases.end()
            ? ComparedCase{.name = name, .verdict = Verdict::kMissing, .a = timed.median, .b = {}}
            : compare(name, timed, found->second, fail_over));
  }
  for (const auto& [name, timed] : now.cases) {
    if (!before.cases.contains(name))
      comparison.cases.push_back({.name = name, .verdict = Verdict::kNew, .a = {}, .b = timed.median});
  }
  if (std::any_of(comparison.cases.begin(), comparison.cases.end(), ratio_of)) return comparison;
  throw Error(ErrorCode::kInput, {.doing = "comparing " + a + " with " + b,
                                  .got = "no case that both have",
                                  .expected = "results of the same cases, dtype and model"});
}

std::string describe(const BenchComparison& comparison) {
  std::string text;
  if (comparison.device_a != comparison.device_b) {
    text = "A: " + escape_for_display(comparison.device_a) +
           "\nB: " + escape_for_display(comparison.device_b) + "\n";
  }
  const auto shown = [](const std::optional<double>& seconds) {
    return seconds ? format_seconds(*seconds) : "-";
  };
  text += formatted("%-18s %10s %10s %8s\n", "case", "A", "B", "B / A");
  for (const ComparedCase& compared : comparison.cases) {
    const auto ratio = ratio_of(compared);
    const std::string name = escape_for_display(compared.name), verdict = word_of(compared.verdict);
    text += formatted("%-18s %10s %10s %8s", name.c_str(), shown(compared.a).c_str(),
                      shown(compared.b).c_str(), ratio ? formatted("%.3f", *ratio).c_str() : "-") +
            (verdict.empty() ? "" : "  " + verdict) + "\n";
  }
  return text;
}

Json to_json(const BenchComparison& comparison) {
  Json cases = Json::array();
  for (const ComparedCase& compared : comparison.cases) {
    const bool fine = compared.verdict == Verdict::kFine;
    cases.push_back({{"name", compared.name},
                     {"a", or_null(compared.a)},
                     {"b", or_null(compared.b)},
                     {"ratio", or_null(ratio_of(compared))},
                     {"verdict", fine ? "fine" : word_of(compared.verdict)}});
  }
  return {{"device_a", comparison.device_a},
          {"device_b", comparison.device_b},
          {"fail_over", or_null(comparison.fail_over)},
          {"passed", comparison.failure().empty()},
          {"cases", cases}};
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

int compare_benches(const std::string& a, const std::string& b, std::optional<double> fail_over, bool json,
                    Progress& progress) {
  const BenchComparison comparison = compared(a, b, fail_over);
  json ? print_json(to_json(comparison)) : print(describe(comparison));
  const std::string failure = comparison.failure();
  if (failure.empty()) return 0;
  progress.fail(kExitNotPassed, "--fail-over: " + failure);
  return kExitNotPassed;
}

}  // namespace t2v
