#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/flags/invocation.h"
#include "cli/screen/progress.h"

namespace t2v {

/// One command: its help, its flags and its action. A function in a file of its own makes it; `run` keeps the
/// variables alive that the flags write into.
struct Command {
  std::string name;
  std::string summary;      ///< its line in the list of commands
  std::string description;  ///< the first part of --help: title, examples, usage
  std::string notes;        ///< the part of --help after the flags
  /// Words without a flag, in order. An operand without a fallback is required.
  std::vector<Flag> operands;
  std::vector<FlagGroup> flags;  ///< without general_flags()
  std::string stopped;           ///< what the message says after "stopped; ", when a signal stopped it
  /// Returns the exit code. Error, Stopped.
  std::function<int(const Invocation&, Progress&)> run;
};

/// The flags of a command and general_flags(), whose values nobody reads.
std::vector<FlagGroup> all_flags(const Command& command);

}  // namespace t2v
