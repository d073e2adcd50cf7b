#pragma once

#include <functional>
#include <string>

#include "t2v/error.h"
#include "t2v/run.h"

namespace t2v {

/// One thing that was looked at.
struct Finding {
  enum class State { kOk, kWarning, kFailed };
  State state = State::kOk;
  std::string name = {};             ///< "engine", "encoders", "self-test"
  std::string detail = {};           ///< what was found
  std::string advice = {};           ///< what to do about it; empty: nothing is to be done
  ErrorCode code = ErrorCode::kBug;  ///< of what failed
};

/// Looks at all that t2v needs to render on this machine, and tells of each thing when it is known; with
/// `render` the last is a tiny clip of tiny-world, rendered on `device` (as Machine has it) in
/// a temporary folder and read back. What is broken is told and the rest looked at all the same. Stopped.
void examine(const std::string& device, bool render, const std::function<void(const Finding&)>& tell,
             const RunControl& control);

}  // namespace t2v
