#include "shared_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "cli/screen/streams.h"
#include "core/staged_file.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHidden = ".t2v";
constexpr const char* kPresence = "workers";
constexpr const char* kClaim = ".claim";
constexpr const char* kRandom = ".t2v-random";
constexpr mode_t kMode = 0666;  // the umask is applied to it

[[noreturn]] void refuse(const fs::path& path, int error_number) {
  const bool no_locks = error_number == ENOLCK || error_number == EOPNOTSUPP || error_number == ENOSYS;
  throw Error(ErrorCode::kOutput,
              {.doing = "writing " + path.string(),
               .got = std::string("\"") + std::strerror(error_number) + '"',
               .expected = no_locks ? "a filesystem with flock" : "a folder that files can be written in",
               .advice = no_locks ? "processes share a folder by flock: mount it so (Lustre: -o flock)"
                                  : "look at its permissions and the free space, or use another folder"});
}

/// Tries to lock a file with flock. Returns false while another process holds a lock against it.
bool try_lock(int descriptor, int operation, const fs::path& path) {
  while (::flock(descriptor, operation) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) refuse(path, errno);
  }
  return true;
}

/// Whether an open file still has its name. Another process may have removed it before it was locked.
bool is_at(int descriptor, const fs::path& path) {
  struct stat open {
  }, named{};
  return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

std::string read_file(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<fs::path> claims_in(const fs::path& hidden) {
  std::vector<fs::path> claims;
  std::error_code ignored;
  for (fs::directory_iterator entry(hidden, ignored), end; entry != end; entry.increment(ignored)) {
    if (entry->path().extension() == kClaim) claims.push_back(entry->path());
  }
  std::sort(claims.begin(), claims.end());
  return claims;
}

void remove_claims(const fs::path& hidden) {
  for (const fs::path& claim : claims_in(hidden)) ::unlink(claim.c_str());
}

}  // namespace

Claim::Claim(fs::path file, Descriptor lock)
    : file_(std::move(file)), lock_(std::move(lock)), failure_(read_file(file_)) {}

Claim::~Claim() {
  if (lock_.value() >= 0 && failure_.empty()) ::unlink(file_.c_str());
}

void Claim::fail(const std::string& failure) {
  failure_ = failure;
  // If it cannot be published, other processes try the clip again.
  if (!write_all(lock_.value(), failure)) static_cast<void>(::ftruncate(lock_.value(), 0));
}

SharedFolder::SharedFolder(const fs::path& folder) : folder_(folder), hidden_(folder / kHidden) {
  const fs::path file = hidden_ / kPresence;
  while (presence_.value() < 0) {
    if (::mkdir(hidden_.c_str(), 0777) != 0 && errno != EEXIST) refuse(hidden_, errno);
    Descriptor lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode));
    if (lock.value() < 0 && errno == ENOENT) continue;  // the last process just left
    if (lock.value() < 0) refuse(file, errno);
    // No other process is here, so every claim is of a dead process or an earlier run.
    if (try_lock(lock.value(), LOCK_EX | LOCK_NB, file) && is_at(lock.value(), file)) {
      remove_claims(hidden_);
    }
    try_lock(lock.value(), LOCK_SH, file);
    if (is_at(lock.value(), file)) presence_ = std::move(lock);
  }
}

std::optional<Claim> SharedFolder::claim(const std::string& name) const {
  const fs::path file = hidden_ / (name + kClaim);
  for (;;) {
    Descriptor lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode));
    if (lock.value() < 0) refuse(file, errno);
    if (!try_lock(lock.value(), LOCK_EX | LOCK_NB, file)) return std::nullopt;
    if (is_at(lock.value(), file)) return Claim(file, std::move(lock));
  }
}

bool SharedFolder::leave(const std::function<void(const std::vector<std::string>&)>& finish) {
  const fs::path file = hidden_ / kPresence;
  const Descriptor lock = std::move(presence_);
  const auto lock_alone = [&] { return try_lock(lock.value(), LOCK_EX | LOCK_NB, file); };
  if (!lock_alone()) {
    // Over NFS this process still has its shared lock, and two that leave at once would see each other's.
    try_lock(lock.value(), LOCK_UN, file);
    if (!lock_alone() || !is_at(lock.value(), file)) return false;
  }
  std::vector<std::string> failures;
  for (const fs::path& claim : claims_in(hidden_)) {
    if (std::string failure = read_file(claim); !failure.empty()) failures.push_back(std::move(failure));
  }
  // The order matters: a process that comes meanwhile makes a new file and folder, or keeps this folder.
  const auto remove = [&] {
    remove_claims(hidden_);
    ::unlink(file.c_str());
    ::rmdir(hidden_.c_str());
  };
  try {
    finish(failures);
  } catch (...) {
    remove();
    throw;
  }
  remove();
  return true;
}

void SharedFolder::append(const std::string& name, const std::string& line) const {
  const fs::path file = folder_ / name;
  Descriptor lock(::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, kMode));
  if (lock.value() < 0) refuse(file, errno);
  try_lock(lock.value(), LOCK_EX, file);
  const off_t size = ::lseek(lock.value(), 0, SEEK_END);
  char last = '\n';
  const bool torn = size > 0 && ::pread(lock.value(), &last, 1, size - 1) == 1 && last != '\n';
  if (!write_all(lock.value(), (torn ? "\n" : "") + line + '\n') || ::fsync(lock.value()) != 0) {
    const int error_number = errno;
    static_cast<void>(::ftruncate(lock.value(), size));
    refuse(file, error_number);
  }
  if (!lock.close()) refuse(file, errno);
}

void SharedFolder::replace(const std::string& name, const std::string& text) const {
  if (text.empty()) {
    ::unlink((folder_ / name).c_str());
  } else {
    StagedFile file(folder_ / name);
    file.write(text);
    file.sync();
    file.publish(/*overwrite=*/true);
  }
}

uint64_t random_number_of(const fs::path& folder, bool read_only) {
  const fs::path file = folder / kRandom;
  std::random_device device;
  const uint64_t number = uint64_t{device()} << 32 | device();
  const int flags = read_only ? O_RDONLY : O_RDWR | O_CREAT;
  const Descriptor lock(::open(file.c_str(), flags | O_CLOEXEC, kMode));
  if (lock.value() < 0 && read_only && errno == ENOENT) return number;
  if (lock.value() < 0) refuse(file, errno);
  try_lock(lock.value(), read_only ? LOCK_SH : LOCK_EX, file);
  const std::string earlier = read_file(file);
  if (!earlier.empty()) return std::strtoull(earlier.c_str(), nullptr, 10);
  if (!read_only && !write_all(lock.value(), std::to_string(number) + '\n')) refuse(file, errno);
  return number;
}

void remove_if_unused(const fs::path& folder) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename() != kRandom) return;
  }
  fs::remove(folder / kRandom, ignored);
  fs::remove(folder, ignored);
}

}  // namespace t2v
