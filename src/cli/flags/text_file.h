#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace t2v {

/// Reads at most `limit` bytes of a file ("-": of standard input) and removes a byte order mark. Error
/// (kUsage) that begins with `doing` if the file cannot be read.
std::string read_text_file(const std::filesystem::path& file, size_t limit, const std::string& doing);

/// Reads the prompt in a file ("-": in standard input), without its line break at the end. Error (kUsage)
/// that names the file if it cannot be read, is blank, is not UTF-8 or is larger than kLongestPrompt.
std::string read_prompt(const std::filesystem::path& file);

}  // namespace t2v
