#include "help.h"

#include <sstream>

#include "cli/screen/streams.h"
#include "commands.h"

namespace t2v {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kColumn = 26;

/// Appends words one after the other, with lines that start at `column` and end before kWidth.
void wrap(std::string& text, const std::string& words, size_t column) {
  size_t at = column;
  std::istringstream stream(words);
  for (std::string word; stream >> word;) {
    if (at > column && at + 1 + word.size() > kWidth) {
      text += '\n' + std::string(column, ' ');
      at = column;
    }
    if (at > column) text += ' ', ++at;
    text += word;
    at += word.size();
  }
  text += '\n';
}

void append_flag(std::string& text, const Flag& flag) {
  const bool has_short = flag.names.size() > 1 && flag.names[1].size() == 2;
  const bool operand = flag.names[0][0] != '-';
  std::string left = operand     ? "  " + flag.names[0]
                     : has_short ? "  " + flag.names[1] + ", " + flag.names[0]
                                 : "      " + flag.names[0];
  if (flag.takes_value() && !operand) left += ' ' + flag.value;
  if (left.size() + 2 > kColumn) {
    text += left + '\n' + std::string(kColumn, ' ');
  } else {
    text += left + std::string(kColumn - left.size(), ' ');
  }
  wrap(text, describe(flag), kColumn);
}

void append_commands(std::string& text) {
  text += "\nCommands (t2v COMMAND --help says more)\n";
  for (const Command& command : all_commands()) {
    text += "  " + command.name + std::string(kColumn - 2 - command.name.size(), ' ');
    wrap(text, command.summary, kColumn);
  }
}

}  // namespace

const char* const kExitCodes = R"(
Exit codes
  0  done as asked                  5  out of memory, or no such device
  1  a bug in t2v                   6  numbers went wrong (NaN)
  2  wrong flag, value or prompt,   7  network, or a download that is not
     or the output exists              what it has to be
  3  an input is missing or bad     8  some clips of a batch failed, or a gate
  4  the output cannot be written      of compare or bench was not passed
                                    129, 130, 141, 143  ended by a signal
)";

std::string describe(const Flag& flag) {
  std::string words = flag.help;
  if (!flag.allowed.empty()) words += " (" + flag.allowed + ")";
  if (!flag.fallback.empty()) words += " [default: " + flag.fallback + "]";
  std::string aliases;
  for (size_t i = 1; i < flag.names.size(); ++i) {
    if (flag.names[i].size() > 2) aliases += (aliases.empty() ? "; also " : ", ") + flag.names[i];
  }
  return words + aliases;
}

std::string help_text(const Command& command) {
  std::string text = command.description;
  if (is_default(command)) append_commands(text);
  if (!command.operands.empty()) text += '\n';
  for (const Flag& operand : command.operands) append_flag(text, operand);
  Invocation unused;
  std::vector<FlagGroup> groups = command.flags;
  groups.push_back(talking_flags(unused));
  for (const FlagGroup& group : groups) {
    text += '\n' + group.title + '\n';
    for (const Flag& flag : group.flags) append_flag(text, flag);
  }
  return text + command.notes + kExitCodes;
}

std::function<int(const Invocation&, Progress&)> print_help(const Command& command) {
  return [text = help_text(command)](const Invocation&, Progress&) { return print(text); };
}

}  // namespace t2v
