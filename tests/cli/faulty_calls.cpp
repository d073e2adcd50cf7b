// For LD_PRELOAD: the FAULTY_NUMBERth of a program's calls that FAULTY_CALL names, about a file in whose path
// FAULTY_PATH occurs, fails with EIO and is told in the file FAULTY_LOG.
//   fsync   of files and folders
//   close   of files with something written, each the first time, when a system would tell
//   rename  and whatever else gives a file its name

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <tuple>

namespace {

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Whether a call is to fail; errno says so.
bool fails(const char* call, const char* path) {
  static std::atomic<int> count = 0;
  if (std::strcmp(variable("FAULTY_CALL"), call) != 0) return false;
  if (std::strstr(path, variable("FAULTY_PATH")) == nullptr) return false;
  if (++count != std::atoi(variable("FAULTY_NUMBER"))) return false;
  if (std::FILE* log = std::fopen(variable("FAULTY_LOG"), "w")) {
    std::fputs(path, log);
    std::fclose(log);
  }
  errno = EIO;
  return true;
}

bool fails(const char* call, int descriptor) {
  char link[64] = {}, path[4096] = {};
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  return ::readlink(link, path, sizeof path - 1) > 0 && fails(call, path);
}

bool is_written(int descriptor) {
  static std::mutex mutex;
  static std::set<std::tuple<ino_t, time_t, long>> closed;  // a number may soon be another file's
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) return false;
  if ((::fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDONLY) return false;
  const std::lock_guard lock(mutex);
  return closed.emplace(status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec).second;
}

}  // namespace

extern "C" {

int fsync(int descriptor) {
  return fails("fsync", descriptor) ? -1 : static_cast<int>(::syscall(SYS_fsync, descriptor));
}

int close(int descriptor) {
  const bool failed = is_written(descriptor) && fails("close", descriptor);
  const int result = static_cast<int>(::syscall(SYS_close, descriptor));
  if (!failed) return result;
  errno = EIO;
  return -1;
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  if (fails("rename", to)) return -1;
  return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

int rename(const char* from, const char* to) noexcept { return ::renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  if (fails("rename", to)) return -1;
  return static_cast<int>(::syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}

int link(const char* from, const char* to) noexcept { return ::linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
}
