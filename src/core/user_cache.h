#pragma once

#include <filesystem>

namespace t2v {

/// The user's folder for what can be made again: $XDG_CACHE_HOME/t2v, or ~/.cache/t2v. Empty where there is
/// none.
std::filesystem::path user_cache_folder();

}  // namespace t2v
