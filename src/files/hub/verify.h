#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "t2v/run.h"

namespace t2v {

/// Files that were read again.
struct VerifiedFiles {
  int64_t files = 0, bytes = 0;         ///< that have the hash of their name
  std::vector<std::string> unverified;  ///< files that are no links to blobs: nothing tells their hash
};

/// Hashes every file of the snapshot, or the one file of a snapshot, at `path`; `name` is how errors call it.
/// Error (kNetwork) that names the files with another hash; Stopped.
VerifiedFiles verify(const std::string& name, const std::filesystem::path& path, const RunControl& control);

}  // namespace t2v
