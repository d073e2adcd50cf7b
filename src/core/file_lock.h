#pragma once

#include <filesystem>

#include "core/descriptor.h"

namespace t2v {

/// Keeps other processes, and other threads, that lock the same file waiting as long as it lives.
class FileLock {
 public:
  /// Makes the file if it is not there, and waits. Error (kOutput).
  explicit FileLock(const std::filesystem::path& file);

 private:
  Descriptor descriptor_;
};

}  // namespace t2v
