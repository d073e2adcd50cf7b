#include "bench_compare.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench_results.h"
#include "cli/screen/format.h"
#include "cli/screen/streams.h"
#include "core/text.h"
#include "t2v/error.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;

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
  const auto or_null = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
  };
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
