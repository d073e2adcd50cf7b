#pragma once

#include <filesystem>

namespace t2v {

/// The user's cache folder: $XDG_CACHE_HOME/t2v, or ~/.cache/t2v. Empty if neither path is absolute.
std::filesystem::path user_cache_folder();

}  // namespace t2v
