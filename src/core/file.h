#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace t2v {

/// Reads a regular file of at most `largest` bytes. Error (kInput) for a file that is missing, unreadable,
/// larger, or not regular (a FIFO would hang).
std::string read_file(const std::filesystem::path& file, int64_t largest);

/// Absolute path, size and time of change of a file as one text, which differs after a change. "" for a
/// missing file.
std::string file_identity(const std::filesystem::path& file);

/// A regular file mapped read-only. Error (kInput) as read_file(), (kResource) if it cannot be mapped. An
/// empty file has size() 0 and data() nullptr. A file that is truncated while it is mapped raises SIGBUS,
/// which the command turns into exit code 3.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  /// Asks the system to read the file into memory in the background.
  void prefetch() const;

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// Releases the memory of a part of a mapped file. A later access reads the disk again.
void forget_pages(std::span<const std::byte> bytes);

/// Asks the system to drop `file` from the page cache, so that the next access reads the disk. `mapped`: the
/// whole file. Returns whether the system did; it does not for a file in a memory file system or in use by
/// another process. Returns true for a file of another user that cannot be written: the system does not say.
bool drop_from_memory(const std::filesystem::path& file, std::span<const std::byte> mapped);

}  // namespace t2v
