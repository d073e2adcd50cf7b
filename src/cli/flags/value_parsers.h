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

/// A flag as it was typed, with its value: what an error about it shows.
struct FlagValue {
  std::string flag;
  std::string text;
};

/// Width and height in pixels.
struct Size {
  int64_t width, height;
};

// Each reads the value of a flag. Error (kUsage): the flag, what was got, what is allowed, the nearest that
// is.

int64_t parse_integer(const FlagValue& value, Range<int64_t> range);
double parse_number(const FlagValue& value, Range<double> range);
std::string parse_choice(const FlagValue& value, const std::vector<std::string>& choices);
/// "832x480" or "832*480".
Size parse_size(const FlagValue& value);
/// "16:9"; each side may have decimals.
AspectRatio parse_aspect(const FlagValue& value);
/// A negative number is "a random seed": no value.
std::optional<uint64_t> parse_seed(const FlagValue& value);
/// Numbers separated by commas, each above 0 and at most 1, each lower than the one before.
std::vector<double> parse_sigmas(const FlagValue& value);
/// "cpu", "cuda", "cuda:N", "auto".
std::string parse_device(const FlagValue& value);
std::filesystem::path parse_path(const FlagValue& value);
/// "PATH" or "PATH:STRENGTH".
LoraChoice parse_lora(const FlagValue& value);

// What the parsers above allow, in words: for errors and for --help.

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
