#include "core/file_lock.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>

#include "core/staged_file.h"

namespace t2v {

FileLock::FileLock(const std::filesystem::path& file)
    : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (descriptor_.value() < 0) throw output_error(file, errno);
  while (::flock(descriptor_.value(), LOCK_EX) != 0) {
    if (errno != EINTR) throw output_error(file, errno);
  }
}

}  // namespace t2v
