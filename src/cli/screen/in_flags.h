#pragma once

#include <functional>
#include <string>

namespace t2v {

/// A message of the library as the command shows it: with the flag in place of each setting in backquotes.
std::string in_flags(const std::string& message);

/// Sets the function behind in_flags(), before the first message; without one, messages stay as they are.
void set_in_flags(std::function<std::string(const std::string& message)> convert);

}  // namespace t2v
