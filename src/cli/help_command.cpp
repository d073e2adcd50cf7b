#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "cli/screen/progress.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "t2v/error.h"
#include "t2v/generate.h"

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

/// What --help says about a flag: its effect, its values, its default and its aliases.
std::string describe(const Flag& flag) {
  std::string words = flag.help;
  if (!flag.allowed.empty()) words += " (" + flag.allowed + ")";
  if (!flag.fallback.empty()) words += " [default: " + flag.fallback + "]";
  std::string aliases;
  for (const std::string& name : flag.aliases()) aliases += (aliases.empty() ? "; also " : ", ") + name;
  return words + aliases;
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

/// A line for each exit code and its meaning.
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

/// `text` without characters that troff would read as commands.
std::string escaped(const std::string& text) {
  std::string result;
  bool line_begins = true;
  for (const char letter : text) {
    if (line_begins && (letter == '.' || letter == '\'')) result += "\\&";
    line_begins = letter == '\n';
    result += letter == '\\' ? "\\e" : letter == '-' ? "\\-" : std::string(1, letter);
  }
  return result;
}

/// Text whose lines troff leaves as they are.
std::string verbatim(const std::string& text) {
  if (text.find_first_not_of('\n') == std::string::npos) return "";
  const size_t begin = text.find_first_not_of('\n'), end = text.find_last_not_of('\n');
  return ".EX\n" + escaped(text.substr(begin, end - begin + 1)) + "\n.EE\n";
}

std::string paragraph(const Flag& flag) {
  const std::string short_name = flag.short_name();
  const std::string names = (short_name.empty() ? "" : short_name + ", ") + flag.name();
  const bool shows_value = flag.takes_value() && !flag.is_operand();
  return ".TP\n\\fB" + escaped(names) + "\\fR" + (shows_value ? " \\fI" + escaped(flag.value) + "\\fR" : "") +
         "\n" + escaped(describe(flag)) + "\n";
}

std::string paragraphs(const FlagGroup& group) {
  std::string text = ".PP\n" + escaped(group.title) + ":\n";
  for (const Flag& flag : group.flags) text += paragraph(flag);
  return text;
}

bool has_group(const Command& command, const std::string& title) {
  return std::any_of(command.flags.begin(), command.flags.end(),
                     [&](const FlagGroup& group) { return group.title == title; });
}

/// The section of a command. Groups of flags that `first` has too are described there alone.
std::string section(const Command& command, const Command& first) {
  std::string text = ".SS t2v " + command.name + "\n" + verbatim(command.description);
  for (const Flag& operand : command.operands) text += paragraph(operand);
  bool shares = false;
  for (const FlagGroup& group : command.flags) {
    const bool shared = command.name != first.name && has_group(first, group.title);
    shares = shares || shared;
    if (!shared) text += paragraphs(group);
  }
  if (shares) text += ".PP\nThe other flags are those of t2v " + first.name + ".\n";
  return text + (command.notes.empty() ? "" : ".PP\n" + verbatim(command.notes));
}

/// The man page t2v(1), in troff's man macros; it holds the help of every command.
std::string man_page(const std::vector<Command>& commands) {
  const Command& first = commands.front();
  std::string text = std::string(".TH T2V 1 \"\" \"t2v ") + version() + "\" \"User Commands\"\n";
  text += ".SH NAME\nt2v \\- renders video clips from text prompts\n.SH SYNOPSIS\n";
  text +=
      "\\fBt2v\\fR [\\fICOMMAND\\fR] [\\fIFLAG\\fR]...\n.SH DESCRIPTION\nWithout a command it is\n\\fBt2v " +
      first.name + "\\fR.\n";
  for (const Command& command : commands) {
    text += ".TP\n\\fB" + escaped(command.name) + "\\fR\n" + escaped(command.summary) + "\n";
  }
  text += ".SH COMMANDS\n";
  for (const Command& command : commands) text += section(command, first);
  text += ".SH FLAGS OF EVERY COMMAND\n";
  const FlagGroup general = all_flags(first).back();
  for (const Flag& flag : general.flags) text += paragraph(flag);
  return text + ".SH EXIT STATUS\n" + verbatim(exit_code_table());
}

constexpr const char* kDescription = R"(t2v help: prints the help of a command.

Examples
  t2v help rerun
  t2v help --man > t2v.1

Usage
  t2v help [COMMAND]

)";

}  // namespace

std::function<int(const Invocation&, Progress&)> print_help(const Command& command) {
  std::string text = command.description;
  if (is_default(command)) append_commands(text);
  if (!command.operands.empty()) text += '\n';
  for (const Flag& operand : command.operands) append_flag(text, operand);
  for (const FlagGroup& group : all_flags(command)) {
    text += '\n' + group.title + '\n';
    for (const Flag& flag : group.flags) append_flag(text, flag);
  }
  text += command.notes + "\nExit codes\n" + exit_code_table();
  return [text](const Invocation&, Progress&) { return print(text); };
}

Command help_command() {
  const auto name = std::make_shared<std::string>();
  const auto man = std::make_shared<bool>(false);
  const auto set_name = [name](const FlagValue& value) { *name = value.text; };
  return {.name = "help",
          .summary = "Prints the help of a command",
          .description = kDescription,
          .operands = {defaulting("generate", value_flag({"COMMAND"}, "", "The command", "", set_name))},
          .flags = {{"What to print",
                     {switch_flag({"--man"}, "Print the man page of all commands", *man, true)}}},
          .run = [name, man](const Invocation& invocation, Progress& progress) {
            if (*man) return print(man_page(all_commands()));
            const Command* command = name->empty() ? &all_commands().front() : find_command(*name);
            if (command == nullptr) refuse_command(*name);
            return print_help(*command)(invocation, progress);
          }};
}

}  // namespace t2v
