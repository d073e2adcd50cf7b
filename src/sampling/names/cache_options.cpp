#include "sampling/names/cache_options.h"

#include <charconv>
#include <cmath>
#include <functional>
#include <map>

#include "core/setting.h"
#include "core/text.h"
#include "t2v/error.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

std::string in_quotes(std::string_view text) { return std::string("\"").append(text).append("\""); }

/// Throws the Error for an option such as "threshold=0.1".
[[noreturn]] void refuse(const std::string& option, const std::string& got, const std::string& expected,
                         const std::string& advice = "") {
  throw Error(ErrorCode::kUsage,
              {.doing = setting("cache_option", option), .got = got, .expected = expected, .advice = advice});
}

struct Option {
  std::string text, key, value;
};

Option split(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) refuse(text, "no =", "KEY=VALUE", "for example threshold=0.1");
  return {text, text.substr(0, equals), text.substr(equals + 1)};
}

double number(const Option& option, std::string_view text, double smallest, double largest) {
  double value = NAN;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !(value >= smallest && value <= largest)) {
    refuse(option.text, in_quotes(text),
           "a number from " + std::to_string(smallest) + " to " + std::to_string(largest));
  }
  return value;
}

int64_t count(const Option& option) {
  int64_t value = -1;
  const char* end = option.value.data() + option.value.size();
  const auto [stop, error] = std::from_chars(option.value.data(), end, value);
  if (error != std::errc() || stop != end || value < 0 || value > kStepCounts.largest)
    refuse(option.text, in_quotes(option.value), "0 to " + std::to_string(kStepCounts.largest));
  return value;
}

std::vector<double> numbers(const Option& option) {
  std::vector<double> values;
  for (std::string_view rest = option.value;;) {
    const size_t comma = rest.find(',');
    values.push_back(number(option, rest.substr(0, comma), -1e9, 1e9));
    if (comma == std::string_view::npos) return values;
    rest.remove_prefix(comma + 1);
  }
}

bool yes(const Option& option) {
  if (option.value != "yes" && option.value != "no")
    refuse(option.text, in_quotes(option.value), "yes or no");
  return option.value == "yes";
}

/// Name and default options of a mode.
struct NamedMode {
  const char* name;
  StepCacheOptions options;
};

const std::vector<NamedMode>& named_modes() {
  using enum CacheMode;
  static const std::vector<NamedMode> all = {
      {"none", {.mode = kNone}},
      {"teacache", {.mode = kTeaCache, .threshold = 0.2, .first = 1, .last = 1}},
      {"magcache", {.mode = kMagCache, .threshold = 0.12, .max_skip = 4}},  // `first` is a fifth of the steps
      {"easycache", {.mode = kEasyCache, .threshold = 0.05, .first = 10, .last = 1}},
  };
  return all;
}

StepCacheOptions defaults(const std::string& mode, int64_t steps) {
  for (const NamedMode& named : named_modes()) {
    if (mode != named.name) continue;
    StepCacheOptions options = named.options;
    if (options.mode == CacheMode::kMagCache)
      options.first = static_cast<int64_t>(0.2 * static_cast<double>(steps) + 0.5);
    return options;
  }
  throw Error(
      ErrorCode::kUsage,
      {.doing = setting("cache_mode"), .got = in_quotes(mode), .expected = one_of(cache_mode_names())});
}

using Setter = std::function<void(const Option&)>;

std::map<std::string, Setter> setters(StepCacheOptions& options) {
  std::map<std::string, Setter> keys = {
      {"threshold", [&](const Option& option) { options.threshold = number(option, option.value, 0, 1000); }},
      {"first", [&](const Option& option) { options.first = count(option); }},
      {"last", [&](const Option& option) { options.last = count(option); }}};
  if (options.mode == CacheMode::kTeaCache) {
    keys["coefficients"] = [&](const Option& option) { options.coefficients = numbers(option); };
  }
  if (options.mode == CacheMode::kMagCache) {
    keys["max-skip"] = [&](const Option& option) { options.max_skip = count(option); };
    keys["ratios"] = [&](const Option& option) { options.ratios = numbers(option); };
    keys["calibrate"] = [&](const Option& option) { options.calibrate = yes(option); };
  }
  return keys;
}

void check_complete(const std::string& mode, const StepCacheOptions& options) {
  const std::string doing = setting("cache_mode", mode);
  if (options.mode == CacheMode::kTeaCache && options.coefficients.empty()) {
    throw Error(ErrorCode::kUsage, {.doing = doing,
                                    .got = "a model without known coefficients",
                                    .expected = "a model with coefficients in its preset",
                                    .advice = "give `cache_option` coefficients=A,B,C,D,E, highest power "
                                              "first, or use `cache_mode` easycache"});
  }
  if (options.mode == CacheMode::kMagCache && options.ratios.empty() && !options.calibrate) {
    throw Error(ErrorCode::kUsage, {.doing = doing,
                                    .got = "a model without known ratios",
                                    .expected = "`cache_option` ratios=A,B,...",
                                    .advice = "a run with `cache_option` calibrate=yes prints them; or use "
                                              "`cache_mode` easycache"});
  }
}

}  // namespace

const std::vector<std::string>& cache_mode_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const NamedMode& named : named_modes()) list.emplace_back(named.name);
    return list;
  }();
  return names;
}

StepCacheOptions read_cache_options(const std::string& mode, const std::vector<std::string>& assignments,
                                    int64_t steps) {
  StepCacheOptions options = defaults(mode, steps);
  if (options.mode == CacheMode::kNone && !assignments.empty())
    refuse(assignments.front(), "no `cache_mode`",
           one_of({cache_mode_names().begin() + 1, cache_mode_names().end()}));
  const std::map<std::string, Setter> keys = setters(options);
  for (const std::string& text : assignments) {
    const Option option = split(text);
    const auto found = keys.find(option.key);
    if (found == keys.end()) {
      std::vector<std::string> known;
      std::string list;
      for (const auto& [key, setter] : keys) {
        known.push_back(key);
        list += (list.empty() ? "" : ", ") + key;
      }
      const std::string meant = closest_match(option.key, known);
      refuse(text, "the key " + option.key, list, meant.empty() ? "" : "did you mean " + meant + "?");
    }
    found->second(option);
  }
  check_complete(mode, options);
  return options;
}

}  // namespace t2v
