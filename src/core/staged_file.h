#pragma once

#include <filesystem>
#include <string_view>

#include "t2v/error.h"

namespace t2v {

/// The Error (kOutput) for a system call that failed with `error_number` while `path` was written.
Error output_error(const std::filesystem::path& path, int error_number);

/// The Error (kUsage) for a name that is taken.
Error exists_error(const std::filesystem::path& path);

/// The path behind the symbolic links of `path`. The target of the last link may be missing. Error (kUsage)
/// for links in a circle.
std::filesystem::path follow_links(const std::filesystem::path& path);

/// Renames, but never replaces. Returns 0, or the value of errno: EEXIST if `to` exists.
int rename_without_replacing(const std::filesystem::path& from, const std::filesystem::path& to);

/// Writes the names in a folder to the disk. A failure gives a warning, because the files exist.
void sync_folder(const std::filesystem::path& folder);

/// A file that gets its name when it is complete. Until publish() it has no name (O_TMPFILE), or a hidden
/// name on a file system without O_TMPFILE. Without publish() the file vanishes, and an old file of that name
/// stays as it was. The constructor removes hidden files that killed processes left in the folder.
class StagedFile {
 public:
  /// Opens a file for reading and writing in the folder of `destination`. Follows symbolic links. Error
  /// (kOutput); (kUsage) for a device or a FIFO, which publish() would replace.
  explicit StagedFile(const std::filesystem::path& destination);
  ~StagedFile();
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;

  int descriptor() const { return descriptor_; }

  /// Appends all of `bytes`. Error (kOutput).
  void write(std::string_view bytes);

  /// Writes the content to the disk. Error (kOutput).
  void sync();
  /// Gives the file its name and syncs the folder. Error (kUsage) if the name is taken and `overwrite` is
  /// false, (kOutput).
  void publish(bool overwrite);

 private:
  void link_unnamed(const std::filesystem::path& name);

  std::filesystem::path destination_, folder_;
  std::filesystem::path hidden_;  // empty while the file has no name
  int descriptor_ = -1;
};

/// A hidden folder for files that belong together, removed with its content at the end of the scope.
class StagedFolder {
 public:
  /// A new folder in `parent`. Error (kOutput).
  explicit StagedFolder(const std::filesystem::path& parent);
  ~StagedFolder();
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace t2v
