#pragma once

#include <string>
#include <vector>

#include "command.h"

namespace t2v {

/// The man page t2v(1), in troff's man macros; it holds the help of every command.
std::string man_page(const std::vector<Command>& commands);

}  // namespace t2v
