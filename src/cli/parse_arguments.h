#pragma once

#include <string>
#include <vector>

#include "command.h"

namespace t2v {

/// Reads the words of `invocation`: its other members, and what the flags and operands of the command write
/// into. Returns the command. Error (kUsage). How to talk is read first, so that it holds for that error too.
const Command& parse_arguments(Invocation& invocation);

}  // namespace t2v
