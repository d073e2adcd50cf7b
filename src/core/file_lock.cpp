#include "core/file_lock.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/staged_file.h"

namespace t2v {

FileLock::FileLock(const std::filesystem::path& file)
    : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) throw output_error(file, errno);
  while (::flock(descriptor_, LOCK_EX) != 0) {
    const int error_number = errno;
    if (error_number == EINTR) continue;
    ::close(descriptor_);
    throw output_error(file, error_number);
  }
}

FileLock::~FileLock() { ::close(descriptor_); }

}  // namespace t2v
