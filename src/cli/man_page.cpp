#include "man_page.h"

#include <algorithm>
#include <sstream>

#include "cli/screen/exit_codes.h"
#include "help.h"
#include "t2v/generate.h"

namespace t2v {
namespace {

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

}  // namespace

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

}  // namespace t2v
