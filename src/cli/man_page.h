#pragma once

#include <string>
#include <vector>

#include "command.h"

namespace t2v {

/// t2v(1) in troff's man macros: what --help of every command says.
std::string man_page(const std::vector<Command>& commands);

}  // namespace t2v
