#pragma once

#include <filesystem>

namespace t2v {

/// Keeps other processes, and other threads, that lock the same file waiting as long as it lives.
class FileLock {
 public:
  /// Makes the file if it is not there, and waits. Error (kOutput).
  explicit FileLock(const std::filesystem::path& file);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace t2v
