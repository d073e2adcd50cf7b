#pragma once

#include <filesystem>
#include <string>

namespace t2v {

/// Reads the prompt in a file ("-": in standard input), without its line break at the end. Error (kUsage)
/// that names the file if it cannot be read, is blank, is not UTF-8 or is larger than kLongestPrompt.
std::string read_prompt(const std::filesystem::path& file);

}  // namespace t2v
