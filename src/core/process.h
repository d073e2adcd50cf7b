#pragma once

#include "t2v/process.h"

namespace t2v {

/// Whether tune_process() was called.
bool may_tune_process() noexcept;

}  // namespace t2v
