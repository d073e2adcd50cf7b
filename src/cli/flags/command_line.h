#pragma once

#include <string>
#include <vector>

#include "given_flags.h"

namespace t2v {

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
