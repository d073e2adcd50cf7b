#include "with_flags.h"

#include <string_view>

namespace t2v {
namespace {

/// Whether a word of a message stands alone, and not inside a path. Its backquotes are at `open` and `close`.
bool stands_alone(const std::string& message, size_t open, size_t close) {
  constexpr std::string_view kBefore = " (", kAfter = " ,;:)";
  return (open == 0 || kBefore.find(message[open - 1]) != std::string_view::npos) &&
         (close + 1 == message.size() || kAfter.find(message[close + 1]) != std::string_view::npos);
}

}  // namespace

std::string with_flags(const std::vector<FlagGroup>& groups, const std::string& message) {
  constexpr const char* kLettersOfNames = "abcdefghijklmnopqrstuvwxyz0123456789_";
  constexpr std::string_view kSwitchedOn = " true";
  std::string text;
  size_t copied = 0;
  for (size_t open = message.find('`'); open != std::string::npos; open = message.find('`', open + 1)) {
    const size_t close = message.find_first_not_of(kLettersOfNames, open + 1);
    if (close == std::string::npos || message[close] != '`' || !stands_alone(message, open, close)) continue;
    const Flag* flag = find_flag(groups, "--" + message.substr(open + 1, close - open - 1));
    if (flag == nullptr) continue;
    text += message.substr(copied, open - copied) + flag->name();
    const bool switched_on =
        !flag->takes_value() && message.compare(close + 1, kSwitchedOn.size(), kSwitchedOn) == 0;
    copied = close + 1 + (switched_on ? kSwitchedOn.size() : 0);
    open = copied - 1;
  }
  return text + message.substr(copied);
}

}  // namespace t2v
