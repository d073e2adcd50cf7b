#pragma once

#include <string>
#include <vector>

namespace t2v {

/// Runs the command that the words ask for; they do not include the program's name. Returns the exit code, or
/// ends the process if a signal stopped the run.
int run_command(const std::vector<std::string>& words);

}  // namespace t2v
