#include "t2v/error.h"

#include "t2v/text.h"

namespace t2v {

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
