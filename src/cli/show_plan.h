#pragma once

#include "flags.h"

namespace t2v {

/// Plans what the arguments of generate ask for and prints it, as JSON if asked. Without an output the plan
/// is for clip.mp4, without a prompt for any. Returns the exit code. Error as plan().
int show_plan(const GenerateArguments& arguments, bool json);

}  // namespace t2v
