#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace t2v {

/// Reads at most `limit` bytes of a file ("-": of standard input) and removes a byte order mark. Error
/// (kUsage) that begins with `doing` if the file cannot be read.
std::string read_text_file(const std::filesystem::path& file, size_t limit, const std::string& doing);

}  // namespace t2v
