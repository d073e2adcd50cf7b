#include "value_parsers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include "core/text.h"
#include "usage_error.h"

namespace t2v {
namespace {

/// All of `text` as a number, independent of the locale; nothing for other text.
template <typename T>
std::optional<T> read(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string shown(double number) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << number;
  return text.str();
}

[[noreturn]] void refuse(const FlagValue& value, const std::string& expected,
                         const std::string& nearest = "") {
  t2v::refuse(value.flag, '"' + value.text + '"', expected,
              nearest.empty() ? "" : "the nearest is " + nearest);
}

/// The whole number in `range` that is nearest to `text`; "" if the text is not a number.
std::string nearest_integer(const std::string& text, Range<int64_t> range) {
  const std::optional<double> number = read<double>(text);
  if (!number || std::isnan(*number)) return "";
  const double limited =
      std::clamp(*number, static_cast<double>(range.smallest), static_cast<double>(range.largest));
  return std::to_string(std::llround(limited));
}

bool inside(int64_t number, Range<int64_t> range) {
  return number >= range.smallest && number <= range.largest;
}

}  // namespace

std::string describe(Range<int64_t> range) {
  return "a whole number from " + std::to_string(range.smallest) + " to " + std::to_string(range.largest);
}

std::string describe(Range<double> range) {
  return "a number from " + shown(range.smallest) + " to " + shown(range.largest);
}

std::string describe(const std::vector<std::string>& choices) { return one_of(choices); }

std::string describe_size() {
  return "WIDTHxHEIGHT, each from " + std::to_string(kSides.smallest) + " to " +
         std::to_string(kSides.largest);
}

int64_t parse_integer(const FlagValue& value, Range<int64_t> range) {
  const std::optional<int64_t> number = read<int64_t>(value.text);
  if (!number || !inside(*number, range)) refuse(value, describe(range), nearest_integer(value.text, range));
  return *number;
}

double parse_number(const FlagValue& value, Range<double> range) {
  const std::optional<double> number = read<double>(value.text);
  if (!number || std::isnan(*number)) {
    refuse(value, describe(range));
  }
  if (*number < range.smallest || *number > range.largest) {
    refuse(value, describe(range), shown(std::clamp(*number, range.smallest, range.largest)));
  }
  return *number;
}

std::string parse_choice(const FlagValue& value, const std::vector<std::string>& choices) {
  if (std::find(choices.begin(), choices.end(), value.text) != choices.end()) return value.text;
  refuse(value, describe(choices), closest_match(value.text, choices));
}

Size parse_size(const FlagValue& value) {
  const size_t separator = value.text.find_first_of("xX*");
  if (separator == std::string::npos) refuse(value, describe_size());
  const std::string width = value.text.substr(0, separator);
  const std::string height = value.text.substr(separator + 1);
  const std::optional<int64_t> columns = read<int64_t>(width);
  const std::optional<int64_t> rows = read<int64_t>(height);
  if (!columns || !rows || !inside(*columns, kSides) || !inside(*rows, kSides)) {
    const std::string nearest_width = nearest_integer(width, kSides);
    const std::string nearest_height = nearest_integer(height, kSides);
    const bool numbers = !nearest_width.empty() && !nearest_height.empty();
    refuse(value, describe_size(), numbers ? nearest_width + "x" + nearest_height : "");
  }
  return {*columns, *rows};
}

AspectRatio parse_aspect(const FlagValue& value) {
  constexpr double kLargest = 10000;
  const size_t colon = value.text.find(':');
  const auto side = [&](size_t begin, size_t size) {
    return colon == std::string::npos ? std::nullopt : read<double>(value.text.substr(begin, size));
  };
  const std::optional<double> width = side(0, colon), height = side(colon + 1, std::string::npos);
  const auto good = [](std::optional<double> length) { return length && *length > 0 && *length <= kLargest; };
  if (!good(width) || !good(height)) refuse(value, kDescribeAspect);
  return {*width, *height};
}

std::optional<uint64_t> parse_seed(const FlagValue& value) {
  if (const std::optional<uint64_t> seed = read<uint64_t>(value.text)) return seed;
  const std::string_view text = value.text;
  const bool digits = text.find_first_not_of("0123456789", 1) == std::string_view::npos;
  if (text.size() > 1 && text[0] == '-' && digits) return std::nullopt;
  const bool too_large = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  refuse(value, kDescribeSeed, too_large ? std::to_string(std::numeric_limits<uint64_t>::max()) : "");
}

std::vector<double> parse_sigmas(const FlagValue& value) {
  std::vector<double> sigmas;
  std::istringstream list(value.text);
  for (std::string item; std::getline(list, item, ',');) {
    const std::optional<double> sigma = read<double>(item);
    const double previous = sigmas.empty() ? std::nextafter(1.0, 2.0) : sigmas.back();
    if (!sigma || !(*sigma > 0 && *sigma < previous)) refuse(value, kDescribeSigmas);
    sigmas.push_back(*sigma);
  }
  const bool complete = !sigmas.empty() && value.text.back() != ',';
  if (!complete || sigmas.size() > static_cast<size_t>(kStepCounts.largest)) refuse(value, kDescribeSigmas);
  return sigmas;
}

std::string parse_device(const FlagValue& value) {
  const std::string& text = value.text;
  if (text == "cpu" || text == "cuda" || text == "auto") return text;
  const bool numbered = text.starts_with("cuda:") && read<uint8_t>(text.substr(5)).has_value();
  if (!numbered) refuse(value, kDescribeDevice);
  return text;
}

std::filesystem::path parse_path(const FlagValue& value) {
  if (value.text.empty() || value.text.find('\0') != std::string::npos) refuse(value, "a path");
  return value.text;
}

LoraChoice parse_lora(const FlagValue& value) {
  const size_t colon = value.text.rfind(':');
  const std::string number = colon == std::string::npos ? "" : value.text.substr(colon + 1);
  // A colon may be part of the path. Behind the path of a file that exists, a number has to follow.
  std::error_code ignored;
  const bool behind_a_path = colon != std::string::npos && !std::filesystem::exists(value.text, ignored) &&
                             std::filesystem::exists(value.text.substr(0, colon), ignored);
  if (!read<double>(number) && !behind_a_path) return {.file = parse_path(value), .strength = 1};
  return {.file = parse_path({value.flag, value.text.substr(0, colon)}),
          .strength = parse_number({value.flag, number}, kLoraStrengths)};
}

}  // namespace t2v
