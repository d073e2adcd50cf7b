#pragma once

#include <functional>

#include "command.h"
#include "flags.h"
#include "t2v/generate.h"

namespace t2v {

/// What `generate` does: renders the clip that the arguments ask for and tells on standard output where it
/// is. `look` gets the result as well. Returns the exit code. Error, Stopped.
int render(const Invocation& invocation, GenerateArguments& arguments, Progress& progress,
           const std::function<void(const GenerateResult&)>& look = {});

}  // namespace t2v
