#pragma once

#include <string>
#include <vector>

#include "flags.h"

namespace t2v {

/// Reads the arguments that follow the program's name into `arguments`. Error (kUsage). How to talk (the
/// flags of the last group) is read first, so that it holds for that error too.
void parse_arguments(const std::vector<std::string>& words, Arguments& arguments);

}  // namespace t2v
