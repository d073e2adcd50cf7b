#pragma once

#include <filesystem>
#include <string>

namespace t2v {

/// The prompt that a file holds ("-": standard input), without byte order mark and final line break. Error
/// (kUsage) that names the file if it cannot be read, is blank, larger than a prompt may be, or not UTF-8.
std::string read_prompt(const std::filesystem::path& file);

}  // namespace t2v
