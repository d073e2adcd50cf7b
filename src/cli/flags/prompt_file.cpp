#include "prompt_file.h"

#include "t2v/error.h"
#include "t2v/limits.h"
#include "t2v/text.h"
#include "text_file.h"

namespace t2v {
namespace {

/// What a prompt of the longest length may be wrapped in: the mark and a line break.
constexpr size_t kWrapping = 5;

[[noreturn]] void refuse(const std::string& name, const std::string& got, const std::string& expected) {
  throw Error(ErrorCode::kUsage, {.doing = "prompt from " + name, .got = got, .expected = expected});
}

}  // namespace

std::string read_prompt(const std::filesystem::path& file) {
  const std::string name = file == "-" ? "standard input" : file.string();
  std::string text = read_input(file, kLongestPrompt + kWrapping + 1, "prompt from " + name);
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
