#pragma once

#include <string>
#include <vector>

#include "given_flags.h"
#include "t2v/log.h"

namespace t2v {

/// One call of the command: its words, the flags that were given, and the values of general_flags().
struct Invocation {
  std::vector<std::string> words;  ///< as typed, without the program's name
  /// Every flag that was given: on the command line and, for a command that has --config, by variables of the
  /// environment and by the config.
  std::vector<GivenFlag> given = {};
  LogLevel log_level = LogLevel::kNormal;
  std::string progress = "auto";
  std::string color = "auto";
  bool json = false;
  bool help = false;
  bool version = false;
};

/// The flags that every command has; they write into `invocation`.
FlagGroup general_flags(Invocation& invocation);

}  // namespace t2v
