#include "sampling/names/cache_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>

#include "t2v/error.h"
#include "t2v/limits.h"
#include "t2v/text.h"

namespace t2v {
namespace {

std::string in_quotes(std::string_view text) { return std::string("\"").append(text).append("\""); }

/// "threshold=0.1" as errors show it.
[[noreturn]] void refuse(const std::string& said, const std::string& got, const std::string& expected,
                         const std::string& advice = "") {
  throw Error(ErrorCode::kUsage,
              {.doing = "--cache-option " + said, .got = got, .expected = expected, .advice = advice});
}

struct Said {
  std::string text, key, value;
};

Said split(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) refuse(text, "no =", "KEY=VALUE", "for example threshold=0.1");
  return {text, text.substr(0, equals), text.substr(equals + 1)};
}

double number(const Said& said, std::string_view text, double smallest, double largest) {
  double value = NAN;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !(value >= smallest && value <= largest)) {
    refuse(said.text, in_quotes(text),
           "a number from " + std::to_string(smallest) + " to " + std::to_string(largest));
  }
  return value;
}

int64_t count(const Said& said) {
  int64_t value = -1;
  const char* end = said.value.data() + said.value.size();
  const auto [stop, error] = std::from_chars(said.value.data(), end, value);
  if (error != std::errc() || stop != end || value < 0 || value > kStepCounts.largest)
    refuse(said.text, in_quotes(said.value), "0 to " + std::to_string(kStepCounts.largest));
  return value;
}

std::vector<double> numbers(const Said& said) {
  std::vector<double> values;
  for (std::string_view rest = said.value;;) {
    const size_t comma = rest.find(',');
    values.push_back(number(said, rest.substr(0, comma), -1e9, 1e9));
    if (comma == std::string_view::npos) return values;
    rest.remove_prefix(comma + 1);
  }
}

bool yes(const Said& said) {
  if (said.value != "yes" && said.value != "no") refuse(said.text, in_quotes(said.value), "yes or no");
  return said.value == "yes";
}

StepCacheOptions defaults(const std::string& mode, int64_t steps) {
  if (mode == "teacache") return {.mode = mode, .threshold = 0.2, .first = 1, .last = 1};
  if (mode == "easycache") return {.mode = mode, .threshold = 0.05, .first = 10, .last = 1};
  if (mode != "magcache") return {.mode = mode};
  const auto fifth = static_cast<int64_t>(0.2 * static_cast<double>(steps) + 0.5);
  return {.mode = mode, .threshold = 0.12, .first = fifth, .max_skip = 4};
}

using Setter = std::function<void(const Said&)>;

std::map<std::string, Setter> setters(StepCacheOptions& options) {
  std::map<std::string, Setter> keys = {
      {"threshold", [&](const Said& said) { options.threshold = number(said, said.value, 0, 1000); }},
      {"first", [&](const Said& said) { options.first = count(said); }},
      {"last", [&](const Said& said) { options.last = count(said); }}};
  if (options.mode == "teacache") {
    keys["coefficients"] = [&](const Said& said) { options.coefficients = numbers(said); };
  }
  if (options.mode == "magcache") {
    keys["max-skip"] = [&](const Said& said) { options.max_skip = count(said); };
    keys["ratios"] = [&](const Said& said) { options.ratios = numbers(said); };
    keys["calibrate"] = [&](const Said& said) { options.calibrate = yes(said); };
  }
  return keys;
}

void check_complete(const StepCacheOptions& options) {
  const std::string doing = "--cache-mode " + options.mode;
  if (options.mode == "teacache" && options.coefficients.empty()) {
    throw Error(ErrorCode::kUsage, {.doing = doing,
                                    .got = "a model whose polynomial is not known",
                                    .expected = "one of Wan2.1's T2V and I2V models",
                                    .advice = "give --cache-option coefficients=A,B,C,D,E, highest power "
                                              "first, or use --cache-mode easycache"});
  }
  if (options.mode == "magcache" && options.ratios.empty() && !options.calibrate) {
    throw Error(ErrorCode::kUsage, {.doing = doing,
                                    .got = "no ratios, which every model has its own of",
                                    .expected = "--cache-option ratios=A,B,...",
                                    .advice = "a run with --cache-option calibrate=yes prints them; or use "
                                              "--cache-mode easycache"});
  }
}

}  // namespace

StepCacheOptions read_cache_options(const std::string& mode, const std::vector<std::string>& said,
                                    int64_t steps) {
  if (std::find(kCacheModes.begin(), kCacheModes.end(), mode) == kCacheModes.end()) {
    throw Error(ErrorCode::kUsage, {.doing = "--cache-mode",
                                    .got = in_quotes(mode),
                                    .expected = "none, teacache, magcache or easycache"});
  }
  if (mode == "none" && !said.empty())
    refuse(said.front(), "no --cache-mode", "teacache, magcache or easycache");
  StepCacheOptions options = defaults(mode, steps);
  const std::map<std::string, Setter> keys = setters(options);
  for (const std::string& text : said) {
    const Said option = split(text);
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
  check_complete(options);
  return options;
}

}  // namespace t2v
