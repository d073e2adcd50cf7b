#pragma once

#include "command.h"

namespace t2v {

/// Reads the words of `invocation` into its other fields and into the variables behind the flags and operands
/// of the command. Returns the command. Error (kUsage). General flags are read first, so that they count for
/// this error too.
const Command& parse_arguments(Invocation& invocation);

}  // namespace t2v
