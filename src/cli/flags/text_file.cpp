#include "text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/descriptor.h"
#include "core/text.h"
#include "t2v/limits.h"
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
  const Descriptor input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (input.value() < 0) refuse(doing, file_trouble(errno), "a readable file");
  return read_all(input.value(), limit, doing);
}

std::string read_prompt(const std::filesystem::path& file) {
  constexpr size_t kMarkAndLineBreak = 5;  // bytes that a file may have beside the longest prompt
  const std::string doing = "prompt from " + (file == "-" ? "standard input" : file.string());
  std::string text = read_text_file(file, kLongestPrompt + kMarkAndLineBreak + 1, doing);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();

  if (text.size() > kLongestPrompt) {
    refuse(doing, "more than " + std::to_string(kLongestPrompt) + " bytes", "one prompt");
  }
  if (!is_valid_utf8(text)) refuse(doing, "bytes that are not UTF-8", "UTF-8 text");
  if (text.find_first_not_of(" \t\r\n\v\f") == std::string::npos) {
    refuse(doing, text.empty() ? "nothing" : "nothing but blanks", "a description of the clip");
  }
  return text;
}

}  // namespace t2v
