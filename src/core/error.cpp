#include "t2v/error.h"

#include "core/text.h"

namespace t2v {

const char* describe(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBug:
      return "a bug in t2v";
    case ErrorCode::kUsage:
      return "wrong flag, value or prompt, or the output exists";
    case ErrorCode::kInput:
      return "an input is missing or bad";
    case ErrorCode::kOutput:
      return "the output cannot be written";
    case ErrorCode::kResource:
      return "out of memory, or no such device";
    case ErrorCode::kNumbers:
      return "a computation gave NaN or infinite numbers";
    case ErrorCode::kNetwork:
      return "network error, or a download that does not match its hash";
  }
  return "";
}

Error::Error(ErrorCode code, const Parts& parts) : code_(code) {
  std::string line = parts.doing;
  const auto append = [&line](const char* separator, const char* word, const std::string& part) {
    if (part.empty()) return;
    if (!line.empty()) line += separator;
    line += word;
    line += part;
  };
  append(": ", "got ", parts.got);
  append(", ", "expected ", parts.expected);
  append("; ", "", parts.advice);
  message_ = escape_for_display(line);
}

Error::~Error() = default;

}  // namespace t2v
