#pragma once

#include <string>

#include "t2v/error.h"

namespace t2v {

/// Throws an Error (kUsage) with these parts.
[[noreturn]] inline void refuse(const std::string& doing, const std::string& got, const std::string& expected,
                                const std::string& advice = "") {
  throw Error(ErrorCode::kUsage, {.doing = doing, .got = got, .expected = expected, .advice = advice});
}

}  // namespace t2v
