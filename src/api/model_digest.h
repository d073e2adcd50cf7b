#pragma once

#include <atomic>
#include <filesystem>
#include <future>
#include <string>

#include "t2v/request.h"

namespace t2v {

/// The sha256 of a file's content. A blob of the Hugging Face cache has it as its name. Any other file is
/// read once by each process; the hash of a large one is kept for the user until the file changes
/// (sha256.json in the cache folder). "" if the work was given up. Error (kInput).
std::string sha256_of_file(const std::filesystem::path& file, const std::atomic<bool>& given_up);

/// The sha256 of a model's weights, LoRAs included. A thread of its own computes it while the clip is made.
/// For one file it is the hash of the file; for several files it is the hash of their sorted hashes:
/// `sha256sum FILES | cut -c 1-64 | sort | sha256sum`.
class ModelDigest {
 public:
  /// Begins. The paths name files and folders.
  explicit ModelDigest(const ModelChoice& located);
  /// Gives up if the hash is not there yet.
  ~ModelDigest();
  ModelDigest(const ModelDigest&) = delete;
  ModelDigest& operator=(const ModelDigest&) = delete;

  /// Waits for the hash; call once. "", with a warning, if a file cannot be read.
  std::string get();

 private:
  std::atomic<bool> given_up_ = false;
  std::future<std::string> hash_;
};

}  // namespace t2v
