#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace t2v {

/// The whole of a regular file of at most `largest` bytes. Error (kInput) if it is missing, unreadable, not a
/// regular file (a FIFO would hang), or larger.
std::string read_file(const std::filesystem::path& file, int64_t largest);

/// The file's absolute path, size and time of change as one text: another text if the file was changed. "" if
/// there is none.
std::string file_identity(const std::filesystem::path& file);

/// A regular file mapped read-only. Error (kInput) as read_file, (kResource) if it cannot be mapped; an empty
/// file has size() 0 and data() nullptr. The mapping is private; who truncates the file while it is in use
/// raises SIGBUS, which the command turns into exit code 3.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  /// Asks the system to have the file in memory soon; returns when it has begun.
  void prefetch() const;

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// Lets the system take back the memory that holds a part of a mapped file which was read and is not needed
/// again; it would be read from the disk again.
void forget_pages(std::span<const std::byte> bytes);

/// Asks the system to drop from memory what it keeps of `file`, all of which `mapped` is: the next to read it
/// reads the disk. Returns whether it did; not for files that live in memory, or that other processes use. Of
/// a file that is neither owned nor may be written nobody is told: true.
bool drop_from_memory(const std::filesystem::path& file, std::span<const std::byte> mapped);

}  // namespace t2v
