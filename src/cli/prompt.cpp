#include "prompt.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "t2v/error.h"
#include "t2v/limits.h"
#include "t2v/text.h"

namespace t2v {
namespace {

constexpr const char* kByteOrderMark = "\xEF\xBB\xBF";
/// What a prompt of the longest length may be wrapped in: the mark and a line break.
constexpr size_t kWrapping = 5;

[[noreturn]] void refuse(const std::string& name, const std::string& got, const std::string& expected) {
  throw Error(ErrorCode::kUsage, {.doing = "prompt from " + name, .got = got, .expected = expected});
}

std::string read_some(int descriptor, size_t most, const std::string& name) {
  std::string text(most, '\0');
  size_t size = 0;
  while (size < most) {
    const ssize_t count = ::read(descriptor, text.data() + size, most - size);
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse(name, std::strerror(errno), "a readable file");
    size += static_cast<size_t>(count);
  }
  text.resize(size);
  return text;
}

std::string read_file_or_input(const std::filesystem::path& file, const std::string& name) {
  constexpr size_t kMost = kLongestPrompt + kWrapping + 1;
  if (file == "-") return read_some(STDIN_FILENO, kMost, name);
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) refuse(name, std::strerror(errno), "a readable file");
  try {
    std::string text = read_some(descriptor, kMost, name);
    ::close(descriptor);
    return text;
  } catch (...) {
    ::close(descriptor);
    throw;
  }
}

}  // namespace

std::string read_prompt(const std::filesystem::path& file) {
  const std::string name = file == "-" ? "standard input" : file.string();
  std::string text = read_file_or_input(file, name);
  if (text.rfind(kByteOrderMark, 0) == 0) text.erase(0, std::strlen(kByteOrderMark));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();

  if (text.size() > kLongestPrompt) {
    refuse(name, "more than " + std::to_string(kLongestPrompt) + " bytes", "one prompt");
  }
  if (!is_valid_utf8(text)) refuse(name, "bytes that are not UTF-8", "UTF-8 text");
  if (text.find_first_not_of(" \t\r\n\v\f") == std::string::npos) {
    refuse(name, text.empty() ? "nothing" : "nothing but blanks", "a description of the clip");
  }
  return text;
}

}  // namespace t2v
