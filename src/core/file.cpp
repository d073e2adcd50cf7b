#include "core/file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/descriptor.h"
#include "core/text.h"
#include "t2v/error.h"

extern "C" void __asan_poison_memory_region(const volatile void* begin, size_t size) __attribute__((weak));
extern "C" void __asan_unpoison_memory_region(const volatile void* begin, size_t size) __attribute__((weak));

namespace t2v {
namespace {

/// An open descriptor of a regular file, closed at the end of the scope.
class RegularFile {
 public:
  explicit RegularFile(const std::filesystem::path& file) : path_(file) {
    // O_NONBLOCK: opening a FIFO without a writer must not wait.
    descriptor_ = Descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (descriptor() < 0) {
      fail(file_trouble(errno), errno == ENOENT ? "check the path" : "check its permissions");
    }
    struct stat status {};
    if (::fstat(descriptor(), &status) != 0 || !S_ISREG(status.st_mode)) {
      const bool folder = S_ISDIR(status.st_mode);
      fail(folder ? "a folder" : "a special file", "name a regular file");
    }
    size_ = static_cast<size_t>(status.st_size);
  }

  int descriptor() const { return descriptor_.value(); }
  size_t size() const { return size_; }
  /// Whether this process owns the file or may write it.
  bool is_ours() const {
    struct stat status {};
    return (::fstat(descriptor(), &status) == 0 && status.st_uid == ::geteuid()) ||
           ::faccessat(AT_FDCWD, path_.c_str(), W_OK, AT_EACCESS) == 0;
  }

  [[noreturn]] void fail(const std::string& got, const std::string& advice) const {
    throw Error(
        ErrorCode::kInput,
        {.doing = "reading " + path_.string(), .got = got, .expected = "a readable file", .advice = advice});
  }

 private:
  std::filesystem::path path_;
  Descriptor descriptor_;
  size_t size_ = 0;
};

/// The zeros after a mapped file, up to the end of its last page. With the address sanitizer, reading them is
/// an error.
std::span<const std::byte> padding_after(const std::byte* data, size_t size) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return {data + size, (page - size % page) % page};
}

}  // namespace

std::string read_file(const std::filesystem::path& file, int64_t largest) {
  const RegularFile input(file);
  if (input.size() > static_cast<size_t>(largest)) {
    input.fail(std::to_string(input.size()) + " bytes",
               "at most " + std::to_string(largest) + " bytes are read from such a file");
  }
  std::string text(input.size(), '\0');
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::read(input.descriptor(), text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) input.fail(std::strerror(errno), "check the disk");
    if (count == 0) input.fail("a file that became shorter", "do not change it while t2v runs");
    done += static_cast<size_t>(count);
  }
  return text;
}

std::string file_identity(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return "";
  std::error_code ignored;
  std::string text = std::filesystem::absolute(file, ignored).string();
  for (const int64_t number : {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec}) {
    text.append(",").append(std::to_string(number));
  }
  return text;
}

MappedFile::MappedFile(const std::filesystem::path& file) {
  const RegularFile input(file);
  size_ = input.size();
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, input.descriptor(), 0);
  if (address == MAP_FAILED) {
    throw Error(ErrorCode::kResource, {.doing = "mapping " + file.string(),
                                       .got = std::strerror(errno),
                                       .expected = "room for " + std::to_string(size_) + " bytes",
                                       .advice = "raise the limit on memory (ulimit -v)"});
  }
  data_ = static_cast<const std::byte*>(address);
  const auto rest = padding_after(data_, size_);
  if (__asan_poison_memory_region != nullptr) __asan_poison_memory_region(rest.data(), rest.size());
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  const auto rest = padding_after(data_, size_);
  if (__asan_unpoison_memory_region != nullptr) __asan_unpoison_memory_region(rest.data(), rest.size());
  ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::prefetch() const {
  if (data_ != nullptr) ::madvise(const_cast<std::byte*>(data_), size_, MADV_WILLNEED);
}

void forget_pages(std::span<const std::byte> bytes) {
  // Only whole pages: a page that is shared with a neighbour stays.
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(bytes.data()) + page - 1) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(bytes.data() + bytes.size()) / page * page;
  // The system may ignore this advice and use more memory for a while.
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

bool drop_from_memory(const std::filesystem::path& file, std::span<const std::byte> mapped) {
  if (mapped.empty()) return true;
  auto* const begin = const_cast<std::byte*>(mapped.data());
  ::madvise(begin, mapped.size(), MADV_DONTNEED);  // the system drops no mapped page
  const RegularFile input(file);
  ::posix_fadvise(input.descriptor(), 0, 0, POSIX_FADV_DONTNEED);
  // For a file that the caller may not write, the system always says that the whole file is in memory.
  if (!input.is_ours()) return true;
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((mapped.size() + page - 1) / page);
  if (::mincore(begin, mapped.size(), pages.data()) != 0) return false;
  return std::none_of(pages.begin(), pages.end(), [](unsigned char state) { return (state & 1) != 0; });
}

}  // namespace t2v
