#pragma once

#include <string>
#include <vector>

#include "command.h"

namespace t2v {

inline const std::vector<std::string> kShells = {"bash", "zsh", "fish"};

/// A script for one of kShells that completes commands, flags, values of flags, and files.
std::string completion_script(const std::string& shell, std::vector<Command> commands);

}  // namespace t2v
