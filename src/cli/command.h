#pragma once

#include <string>
#include <vector>

namespace t2v {

/// Does what the arguments that follow the program's name ask for. Returns the exit code; does not return if
/// a signal ended the run.
int run_command(const std::vector<std::string>& words);

}  // namespace t2v
