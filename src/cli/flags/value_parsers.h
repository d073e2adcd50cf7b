#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "t2v/generate.h"
#include "t2v/limits.h"
#include "t2v/lora.h"

namespace t2v {

/// The value of a flag as text, and the place that an error about it begins with: "--steps", "T2V_STEPS".
struct FlagValue {
  std::string flag;
  std::string text;
};

/// Width and height in pixels.
struct Size {
  int64_t width, height;
};

// Each parser throws an Error (kUsage) that says the place, the text, the allowed values and the nearest one.

int64_t parse_integer(const FlagValue& value, Range<int64_t> range);
double parse_number(const FlagValue& value, Range<double> range);
std::string parse_choice(const FlagValue& value, const std::vector<std::string>& choices);
/// "832x480" or "832*480".
Size parse_size(const FlagValue& value);
/// "16:9"; each side may have decimals.
AspectRatio parse_aspect(const FlagValue& value);
/// A negative number asks for a random seed and gives no value.
std::optional<uint64_t> parse_seed(const FlagValue& value);
/// Numbers separated by commas, from at most 1 down to above 0.
std::vector<double> parse_sigmas(const FlagValue& value);
/// "cpu", "cuda", "cuda:N", "auto".
std::string parse_device(const FlagValue& value);
std::filesystem::path parse_path(const FlagValue& value);
/// "PATH" or "PATH:STRENGTH".
LoraChoice parse_lora(const FlagValue& value);

// The values that the parsers allow, in words, for errors and for --help.

std::string describe(Range<int64_t> range);
std::string describe(Range<double> range);
std::string describe(const std::vector<std::string>& choices);
std::string describe_size();
inline constexpr const char* kDescribeAspect = "WIDTH:HEIGHT, such as 16:9";
inline constexpr const char* kDescribeSeed =
    "a whole number up to 18446744073709551615, or a negative one for a random seed";
inline constexpr const char* kDescribeSigmas = "numbers separated by commas, from at most 1 down to above 0";
inline constexpr const char* kDescribeDevice = "cpu, cuda, cuda:N or auto";

}  // namespace t2v
