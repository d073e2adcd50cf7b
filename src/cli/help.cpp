#include "help.h"

#include <sstream>

#include "cli/screen/exit_codes.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "t2v/error.h"

namespace t2v {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kColumn = 26;

/// Appends words, broken into lines that begin at `column` and end before kWidth.
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
  const std::string short_name = flag.short_name();
  std::string left = flag.is_operand()    ? "  " + flag.name()
                     : short_name.empty() ? "      " + flag.name()
                                          : "  " + short_name + ", " + flag.name();
  if (flag.takes_value() && !flag.is_operand()) left += ' ' + flag.value;
  if (left.size() + 2 > kColumn) {
    text += left + '\n' + std::string(kColumn, ' ');
  } else {
    text += left + std::string(kColumn - left.size(), ' ');
  }
  wrap(text, describe(flag), kColumn);
}

void append_commands(std::string& text) {
  text += "\nCommands (t2v COMMAND --help shows the help of each)\n";
  for (const Command& command : all_commands()) {
    text += "  " + command.name + std::string(kColumn - 2 - command.name.size(), ' ');
    wrap(text, command.summary, kColumn);
  }
}

}  // namespace

std::string exit_code_table() {
  std::string text;
  const auto append = [&text](const std::string& code, const std::string& meaning) {
    text += "  " + code + std::string(code.size() < 3 ? 3 - code.size() : 2, ' ');
    wrap(text, meaning, 5);
  };
  append("0", "success");
  for (int code = 1; *describe(ErrorCode{code}) != '\0'; ++code)
    append(std::to_string(code), describe(ErrorCode{code}));
  append(std::to_string(kExitNotPassed),
         "clips of a batch failed, or compare or bench exceeded the given limit");
  append("129, 130, 141, 143", "ended by a signal");
  return text;
}

std::string describe(const Flag& flag) {
  std::string words = flag.help;
  if (!flag.allowed.empty()) words += " (" + flag.allowed + ")";
  if (!flag.fallback.empty()) words += " [default: " + flag.fallback + "]";
  std::string aliases;
  for (const std::string& name : flag.aliases()) aliases += (aliases.empty() ? "; also " : ", ") + name;
  return words + aliases;
}

std::string help_text(const Command& command) {
  std::string text = command.description;
  if (is_default(command)) append_commands(text);
  if (!command.operands.empty()) text += '\n';
  for (const Flag& operand : command.operands) append_flag(text, operand);
  for (const FlagGroup& group : all_flags(command)) {
    text += '\n' + group.title + '\n';
    for (const Flag& flag : group.flags) append_flag(text, flag);
  }
  return text + command.notes + "\nExit codes\n" + exit_code_table();
}

std::function<int(const Invocation&, Progress&)> print_help(const Command& command) {
  return [text = help_text(command)](const Invocation&, Progress&) { return print(text); };
}

}  // namespace t2v
