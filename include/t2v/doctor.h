#pragma once

#include <functional>
#include <string>

#include "t2v/error.h"
#include "t2v/run.h"

namespace t2v {

/// The result of one examination.
struct Finding {
  enum class State { kOk, kWarning, kFailed };
  State state = State::kOk;
  std::string name = {};             ///< "engine", "encoders", "self-test"
  std::string detail = {};           ///< the finding, in words
  std::string advice = {};           ///< what the user can do; empty: nothing
  ErrorCode code = ErrorCode::kBug;  ///< the kind of failure
};

/// Examines everything that rendering needs on this machine, and reports each result at once. With `render`,
/// the last examination renders a tiny clip of tiny-world on `device` (as Machine::device) in a temporary
/// folder and reads it. A failed examination does not stop the others. Stopped.
void examine(const std::string& device, bool render, const std::function<void(const Finding&)>& tell,
             const RunControl& control);

}  // namespace t2v
