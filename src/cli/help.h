#pragma once

#include <functional>

#include "command.h"

namespace t2v {

/// The text of --help: examples, usage, every flag and the exit codes; for the default command also the list
/// of commands. At most 80 columns wide.
std::string help_text(const Command& command);

/// What --help says about a flag: its effect, its values, its default and its aliases.
std::string describe(const Flag& flag);

/// A line for each exit code and its meaning.
std::string exit_code_table();

/// A value for Command::run that prints the help of `command`.
std::function<int(const Invocation&, Progress&)> print_help(const Command& command);

}  // namespace t2v
