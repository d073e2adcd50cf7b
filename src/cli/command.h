#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/flags/given_flags.h"
#include "cli/screen/progress.h"
#include "t2v/log.h"

namespace t2v {

/// What the command line says whatever the command: its words, and how to talk.
struct Invocation {
  std::vector<std::string> words;  ///< as typed, without the program's name
  /// What the flags of the command were given: on the command line and, of one that has --config, by the
  /// environment and by a config.
  std::vector<GivenFlag> given = {};
  LogLevel log_level = LogLevel::kNormal;
  std::string progress = "auto";
  std::string color = "auto";
  bool json = false;
  bool help = false;
  bool version = false;
};

/// One command: what --help says about it, what it takes and what it does. It is made by one function in a
/// file of its own, which keeps what the flags write into alive through `run`.
struct Command {
  std::string name;
  std::string summary;      ///< in the list of commands
  std::string description;  ///< examples and usage: what --help begins with
  std::string notes;        ///< what --help says after the flags
  /// Words that stand without a flag, in order: Flags whose only name is what --help calls them. One without
  /// a fallback has to be given.
  std::vector<Flag> operands;
  std::vector<FlagGroup> flags;
  std::string stopped;  ///< what the user is left with when a signal stopped it
  /// Returns the exit code. Error, Stopped.
  std::function<int(const Invocation&, Progress&)> run;
};

/// The flags that every command has.
FlagGroup talking_flags(Invocation& invocation);

}  // namespace t2v
