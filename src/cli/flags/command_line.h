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

/// The words of a command line, sorted.
struct CommandLine {
  std::vector<GivenFlag> flags;          ///< in the order of the line; of a flag given twice, the last one
  std::vector<std::string> other_words;  ///< operands, and flags that no group has
};

/// Sorts the words of a command line. Error (kUsage) for a flag without its value, and for a switch with
/// another value than true or false.
CommandLine read_command_line(const std::vector<FlagGroup>& groups, const std::vector<std::string>& words);

/// Whether a word looks like a flag: "-q", "--quiet", "--quiet=false".
bool is_flag_like(const std::string& word);

}  // namespace t2v
