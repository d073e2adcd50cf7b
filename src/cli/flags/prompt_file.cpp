#include "prompt_file.h"

#include "core/text.h"
#include "t2v/limits.h"
#include "text_file.h"
#include "usage_error.h"

namespace t2v {

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
