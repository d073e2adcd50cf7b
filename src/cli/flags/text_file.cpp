#include "text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/text.h"
#include "usage_error.h"

namespace t2v {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kPiece = 64 << 10;

std::string read_all(int descriptor, size_t limit, const std::string& doing) {
  std::string text;
  while (text.size() < limit) {
    const size_t before = text.size();
    text.resize(std::min(limit, before + kPiece));
    const ssize_t count = ::read(descriptor, text.data() + before, text.size() - before);
    text.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) break;
    if (count < 0 && errno != EINTR) refuse(doing, file_trouble(errno), "a readable file");
  }
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return text;
}

}  // namespace

std::string read_text_file(const std::filesystem::path& file, size_t limit, const std::string& doing) {
  if (file == "-") return read_all(STDIN_FILENO, limit, doing);
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) refuse(doing, file_trouble(errno), "a readable file");
  try {
    std::string text = read_all(descriptor, limit, doing);
    ::close(descriptor);
    return text;
  } catch (...) {
    ::close(descriptor);
    throw;
  }
}

}  // namespace t2v
