#pragma once

#include <filesystem>
#include <string>

namespace t2v {

/// The comment in the container of a preview. A later run of the same clip recognises its preview by it.
std::string preview_comment(const std::filesystem::path& output);

}  // namespace t2v
