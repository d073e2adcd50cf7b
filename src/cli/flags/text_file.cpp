#include "text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "t2v/error.h"
#include "t2v/text.h"

namespace t2v {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kPiece = 64 << 10;

[[noreturn]] void refuse(const std::string& doing) {
  throw Error(ErrorCode::kUsage, {.doing = doing, .got = file_trouble(errno), .expected = "a readable file"});
}

std::string read_some(int descriptor, size_t most, const std::string& doing) {
  std::string text;
  while (text.size() < most) {
    const size_t before = text.size();
    text.resize(std::min(most, before + kPiece));
    const ssize_t count = ::read(descriptor, text.data() + before, text.size() - before);
    text.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) break;
    if (count < 0 && errno != EINTR) refuse(doing);
  }
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return text;
}

}  // namespace

std::string read_input(const std::filesystem::path& file, size_t most, const std::string& doing) {
  if (file == "-") return read_some(STDIN_FILENO, most, doing);
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) refuse(doing);
  try {
    std::string text = read_some(descriptor, most, doing);
    ::close(descriptor);
    return text;
  } catch (...) {
    ::close(descriptor);
    throw;
  }
}

}  // namespace t2v
