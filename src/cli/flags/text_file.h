#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace t2v {

/// At most `most` bytes of a file ("-": standard input), without byte order mark. Error (kUsage) that begins
/// with `doing` if it cannot be read.
std::string read_input(const std::filesystem::path& file, size_t most, const std::string& doing);

}  // namespace t2v
