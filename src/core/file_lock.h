#pragma once

#include <filesystem>

#include "core/descriptor.h"

namespace t2v {

/// An exclusive lock on a file. Other processes and threads that lock the file wait while the lock lives.
class FileLock {
 public:
  /// Creates a missing file, and waits for the lock. Error (kOutput).
  explicit FileLock(const std::filesystem::path& file);

 private:
  Descriptor descriptor_;
};

}  // namespace t2v
