#pragma once

#include <filesystem>

#include "core/descriptor.h"

namespace t2v {

/// An exclusive lock on a file. Other processes and threads that lock the file wait while the lock lives.
class FileLock {
 public:
  /// Makes the file if it is not there, and waits. Error (kOutput).
  explicit FileLock(const std::filesystem::path& file);

 private:
  Descriptor descriptor_;
};

}  // namespace t2v
