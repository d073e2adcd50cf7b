#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace t2v {

/// The bytes of one file of an archive.
struct ZipEntry {
  uint64_t begin = 0;  ///< from the beginning of the archive
  uint64_t end = 0;
};

/// The files of a zip archive, as its central directory lists them, zip64 included. All of them have to be
/// stored as they are (not compressed, not encrypted) and to lie inside `bytes`. Error (kInput) that calls
/// the archive `origin` for anything else.
std::map<std::string, ZipEntry, std::less<>> read_zip_directory(std::string_view bytes,
                                                                const std::string& origin);

}  // namespace t2v
