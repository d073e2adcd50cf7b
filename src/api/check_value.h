#pragma once

#include <string>

#include "core/setting.h"
#include "t2v/error.h"

namespace t2v {

[[noreturn]] inline void usage_error(const std::string& doing, const std::string& got,
                                     const std::string& expected, const std::string& advice = "") {
  throw Error(ErrorCode::kUsage, {.doing = doing, .got = got, .expected = expected, .advice = advice});
}

/// Error unless the value of the setting `name` is in one of the ranges of limits.h. NaN is in none.
template <typename Value, typename Range>
void check_range(const std::string& name, Value value, const Range& range) {
  if (value >= range.smallest && value <= range.largest) return;
  usage_error(setting(name), std::to_string(value),
              "a number from " + std::to_string(range.smallest) + " to " + std::to_string(range.largest));
}

}  // namespace t2v
