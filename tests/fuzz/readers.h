#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace t2v {

/// A reader of bytes that nobody vouches for.
struct FuzzedReader {
  std::string name;
  std::vector<std::string> corpus;  ///< the bytes of well-formed inputs
  /// Reads a damaged input, which is in `file` too. May throw t2v::Error and nothing else.
  std::function<void(const std::string& bytes, const std::filesystem::path& file)> read;
  std::string file_name;  ///< as the file has to be called; "" for any name
};

/// All of them, with what is in the fixtures as their corpus.
std::vector<FuzzedReader> fuzzed_readers();

}  // namespace t2v
