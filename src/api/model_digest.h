#pragma once

#include <atomic>
#include <filesystem>
#include <future>
#include <string>

#include "t2v/request.h"

namespace t2v {

/// The sha256 of a file: that of its content, which is read once by a process and, if it is large, once by a
/// user, until it changes (sha256.json in the cache folder); or the name of a blob of the Hugging Face cache.
/// "" if it was given up. Error (kInput).
std::string sha256_of_file(const std::filesystem::path& file, const std::atomic<bool>& given_up);

/// The sha256 of the weights that make a clip, LoRAs included, computed by a thread of its own while the clip
/// is made. Of one file it is the file's own; of several that of their hashes in order: what
/// `sha256sum FILES | cut -c 1-64 | sort | sha256sum` says.
class ModelDigest {
 public:
  /// Begins. The paths are those of files and folders.
  explicit ModelDigest(const ModelChoice& located);
  /// Gives up, if that is not done.
  ~ModelDigest();
  ModelDigest(const ModelDigest&) = delete;
  ModelDigest& operator=(const ModelDigest&) = delete;

  /// Waits for it; call once. "", with a warning, if a file cannot be read.
  std::string get();

 private:
  std::atomic<bool> given_up_ = false;
  std::future<std::string> hash_;
};

}  // namespace t2v
