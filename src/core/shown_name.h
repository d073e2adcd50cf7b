#pragma once

#include <string>
#include <string_view>

namespace t2v {

/// A name as an error shows it: in quotes and short, whatever a hostile file or server says.
std::string shown_name(std::string_view name);

}  // namespace t2v
