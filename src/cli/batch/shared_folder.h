#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace t2v {

/// A lock file of ours: locked as long as the object lives.
class HeldFile {
 public:
  explicit HeldFile(int descriptor = -1) : descriptor_(descriptor) {}
  HeldFile(HeldFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  HeldFile& operator=(HeldFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~HeldFile();

  /// -1: moved away.
  int descriptor() const { return descriptor_; }
  /// Closes it, which frees it. False, with errno, if what was written may not be there.
  bool close();

 private:
  int descriptor_;
};

/// The right to make one clip. Freed with the process, however that ends.
class Claim {
 public:
  Claim(std::filesystem::path file, HeldFile lock);
  Claim(Claim&&) = default;
  ~Claim();

  /// What the process that failed to make the clip said, "" if none has.
  const std::string& failure() const { return failure_; }
  /// Tells the others not to try it.
  void fail(const std::string& why);

 private:
  std::filesystem::path file_;
  HeldFile lock_;
  std::string failure_;
};

/// What the processes that fill a folder at the same time know of each other: locks (flock) in its hidden
/// folder .t2v, which is gone when the last of them has left.
class SharedFolder {
 public:
  /// `folder` is there. What workers that were killed left is removed. Error (kOutput).
  explicit SharedFolder(const std::filesystem::path& folder);
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;

  /// The claim on the clip of that name; nothing while another process makes it. Error (kOutput).
  std::optional<Claim> claim(const std::string& name) const;

  /// If nobody else is at work here any more: calls `finish` with what every failed claim said since the
  /// first came, then removes the hidden folder, whatever comes of `finish`. True if so.
  bool leave(const std::function<void(const std::vector<std::string>&)>& finish);

  /// Appends a line to a file of the folder, whole or not at all, and syncs it. Error (kOutput).
  void append(const std::string& name, const std::string& line) const;
  /// Replaces a file of the folder as WholeFile does, or removes it where `text` is empty. Error (kUsage,
  /// kOutput).
  void replace(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path folder_, hidden_;
  HeldFile presence_;  ///< shared; alone, when it can be had exclusively
};

/// A number that is random, and the same for all who ask about this folder, where its file .t2v-random holds
/// it; it is written if it is not there, unless only to look. Error (kOutput).
uint64_t random_number_of(const std::filesystem::path& folder, bool only_look);

/// Removes a folder that holds nothing, or no more than that file.
void remove_if_unused(const std::filesystem::path& folder);

}  // namespace t2v
