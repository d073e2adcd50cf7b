#pragma once

#include <functional>

#include "command.h"

namespace t2v {

/// What --help of that command prints: examples, usage, every flag, exit codes; for the first command also
/// the list of all. At most 80 columns wide.
std::string help_text(const Command& command);

/// What a flag does, takes, defaults to and is also called.
std::string describe(const Flag& flag);

/// The table of exit codes.
extern const char* const kExitCodes;

/// As Command::run: prints that.
std::function<int(const Invocation&, Progress&)> print_help(const Command& command);

}  // namespace t2v
