#pragma once

#include <string>
#include <string_view>

namespace t2v {

/// A name for an error: in quotes and short, even from a hostile file or server.
std::string shown_name(std::string_view name);

}  // namespace t2v
