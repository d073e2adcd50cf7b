#include "core/staged_file.h"

#include <cerrno>
#include <cstring>
#include <random>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHiddenPrefix = ".t2v-";
constexpr std::string_view kHiddenSuffix = ".part";

fs::path hidden_name(const fs::path& folder) {
  std::random_device random;
  return folder / (std::string(kHiddenPrefix) + std::to_string(random()) + std::string(kHiddenSuffix));
}

std::string unnamed_path(int descriptor) { return "/proc/self/fd/" + std::to_string(descriptor); }

/// Locks a new file or folder. Returns false if another process already removed it as a leftover.
bool lock(int descriptor) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && status.st_nlink > 0;
}

/// Removes leftovers of killed processes from `folder`: hidden names without a lock.
void remove_leftovers(const fs::path& folder) {
  std::error_code ignored;
  for (fs::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(kHiddenPrefix) || !name.ends_with(kHiddenSuffix)) continue;
    const int descriptor = ::open(entry->path().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) fs::remove_all(entry->path(), ignored);
    ::close(descriptor);
  }
}

std::string advice_for(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "free some room or choose another folder";
    case EFBIG:
      return "raise the limit on file sizes (ulimit -f)";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a folder that you may write to";
    case EIO:
      return "check the disk";
    default:
      return "";
  }
}

}  // namespace

Error output_error(const fs::path& path, int error_number) {
  return Error(ErrorCode::kOutput, {.doing = "writing " + path.string(),
                                    .got = std::string("\"") + std::strerror(error_number) + "\"",
                                    .advice = advice_for(error_number)});
}

Error exists_error(const fs::path& path) {
  return Error(ErrorCode::kUsage, {.doing = "writing " + path.string(),
                                   .got = "a name that is taken",
                                   .advice = "add `overwrite` to replace it, or choose another name"});
}

fs::path follow_links(const fs::path& path) {
  constexpr int kMostLinks = 40;  // the limit of the kernel
  fs::path target = path;
  std::error_code error;
  for (int links = 0; fs::is_symlink(fs::symlink_status(target, error)); ++links) {
    if (links == kMostLinks) {
      throw Error(ErrorCode::kUsage, {.doing = "writing " + path.string(),
                                      .got = "symbolic links in a circle",
                                      .advice = "choose another name"});
    }
    target = target.parent_path() / fs::read_symlink(target, error);  // an absolute link replaces the parent
    if (error) throw output_error(path, error.value());
  }
  return target;
}

int rename_without_replacing(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) return errno;
  // The filesystem does not know the flag. A hard link does not replace a file either.
  if (::link(from.c_str(), to.c_str()) == 0) {
    ::unlink(from.c_str());
    return 0;
  }
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return errno;
  // Without hard links (FAT) another process may take the name between these two calls.
  struct stat status {};
  if (::lstat(to.c_str(), &status) == 0) return EEXIST;
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // EINVAL: a filesystem whose folders need no syncing.
  if (descriptor < 0 || (::fsync(descriptor) != 0 && errno != EINVAL)) {
    log_warning("syncing " + folder.string() + ": " + std::strerror(errno));
  }
  if (descriptor >= 0) ::close(descriptor);
}

StagedFile::StagedFile(const fs::path& destination) : destination_(follow_links(destination)) {
  folder_ = destination_.has_parent_path() ? destination_.parent_path() : ".";
  // publish() would replace a device or a FIFO for all users of the machine.
  std::error_code ignored;
  if (fs::is_other(destination_, ignored)) {
    throw Error(ErrorCode::kUsage, {.doing = "writing " + destination_.string(),
                                    .got = "a device or another special file",
                                    .expected = "a file, or a name that is free"});
  }
  remove_leftovers(folder_);
  constexpr mode_t kMode = 0666;               // before the umask
  if (::access("/proc/self/fd", F_OK) == 0) {  // link_unnamed() needs it
    descriptor_ = ::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kMode);
    if (descriptor_ >= 0) return;
    // Errors of filesystems and kernels without O_TMPFILE.
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL) {
      throw output_error(destination_, errno);
    }
  }
  while (descriptor_ < 0) {
    hidden_ = hidden_name(folder_);
    descriptor_ = ::open(hidden_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, kMode);
    if (descriptor_ < 0 && errno != EEXIST) throw output_error(destination_, errno);
    if (descriptor_ >= 0 && !lock(descriptor_)) {
      ::close(descriptor_);
      descriptor_ = -1;
    }
  }
}

StagedFile::~StagedFile() {
  if (!hidden_.empty()) ::unlink(hidden_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
}

void StagedFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw output_error(destination_, errno);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

void StagedFile::sync() {
  if (::fsync(descriptor_) != 0) throw output_error(destination_, errno);
  // Network filesystems report failed writes at close(). descriptor_ is still needed, so a copy is closed.
  const int copy = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0 || ::close(copy) != 0) throw output_error(destination_, errno);
}

void StagedFile::link_unnamed(const fs::path& name) {
  if (::linkat(AT_FDCWD, unnamed_path(descriptor_).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0)
    return;
  if (errno == EEXIST) throw exists_error(destination_);
  throw output_error(destination_, errno);
}

void StagedFile::publish(bool overwrite) {
  if (overwrite) {
    if (hidden_.empty()) {
      // Only a named file can replace a file. The lock keeps others from removing it as a leftover.
      ::flock(descriptor_, LOCK_EX | LOCK_NB);
      const fs::path name = hidden_name(folder_);
      link_unnamed(name);
      hidden_ = name;
    }
    if (::rename(hidden_.c_str(), destination_.c_str()) != 0) throw output_error(destination_, errno);
  } else if (hidden_.empty()) {
    link_unnamed(destination_);
  } else if (const int error = rename_without_replacing(hidden_, destination_); error != 0) {
    throw error == EEXIST ? exists_error(destination_) : output_error(destination_, error);
  }
  hidden_.clear();
  sync_folder(folder_);
}

StagedFolder::StagedFolder(const fs::path& parent) {
  remove_leftovers(parent);
  while (descriptor_ < 0) {
    path_ = hidden_name(parent);
    if (::mkdir(path_.c_str(), 0777) != 0) {
      if (errno == EEXIST) continue;
      throw output_error(parent, errno);
    }
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor_ < 0 && errno != ENOENT) throw output_error(parent, errno);
    if (descriptor_ >= 0 && !lock(descriptor_)) {
      ::close(descriptor_);
      descriptor_ = -1;
    }
  }
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  ::close(descriptor_);
}

}  // namespace t2v
