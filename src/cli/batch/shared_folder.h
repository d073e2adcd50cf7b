#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/descriptor.h"

namespace t2v {

/// The right of this process to make one clip. It ends with the process, however that ends.
class Claim {
 public:
  Claim(std::filesystem::path file, Descriptor lock);
  Claim(Claim&&) = default;
  ~Claim();

  /// The failure that another process published for this clip; "" for none.
  const std::string& failure() const { return failure_; }
  /// Publishes a failure, so that other processes do not try the clip.
  void fail(const std::string& failure);

 private:
  std::filesystem::path file_;
  Descriptor lock_;
  std::string failure_;
};

/// Coordinates the processes that fill a folder at the same time. They hold locks (flock) in its hidden
/// folder .t2v, which the last of them removes.
class SharedFolder {
 public:
  /// `folder` exists. Removes what killed processes left behind. Error (kOutput).
  explicit SharedFolder(const std::filesystem::path& folder);
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;

  /// Claims the clip with that name; nothing while another process has the claim. Error (kOutput).
  std::optional<Claim> claim(const std::string& name) const;

  /// Leaves the folder. If no other process works in it, calls `finish` with every published failure, removes
  /// the hidden folder, also when `finish` throws, and returns true.
  bool leave(const std::function<void(const std::vector<std::string>&)>& finish);

  /// Appends a line to a file of the folder, complete or not at all, and syncs the file. Error (kOutput).
  void append(const std::string& name, const std::string& line) const;
  /// Replaces a file of the folder, or removes it if `text` is empty. The old file stays until the new one is
  /// complete. Error (kUsage, kOutput).
  void replace(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path folder_, hidden_;
  Descriptor presence_;  ///< locked shared; a process that gets the exclusive lock is alone
};

/// A random number that is the same for everyone who asks about this folder. The folder's file .t2v-random
/// holds it, and is written if it is missing and `read_only` is false. Error (kOutput).
uint64_t random_number_of(const std::filesystem::path& folder, bool read_only);

/// Removes a folder that is empty or holds only .t2v-random.
void remove_if_unused(const std::filesystem::path& folder);

}  // namespace t2v
