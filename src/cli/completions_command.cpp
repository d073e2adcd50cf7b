#include <memory>
#include <string>
#include <vector>

#include "cli/screen/streams.h"
#include "commands.h"
#include "core/text.h"

namespace t2v {
namespace {

const std::vector<std::string> kShells = {"bash", "zsh", "fish"};

/// The words that a shell offers for the value of a flag, or for an operand.
enum class Value { kNone, kWords, kFiles, kFolders, kText };

Value value_of(const Flag& flag) {
  const std::string& word = flag.is_operand() ? flag.name() : flag.value;
  if (!flag.choices.empty()) return Value::kWords;
  if (word.empty()) return Value::kNone;
  if (word == "DIR") return Value::kFolders;
  const bool is_file = word.find("FILE") != std::string::npos || word.starts_with("PATH");
  return is_file || (flag.is_operand() && word != "NAME") ? Value::kFiles : Value::kText;
}

std::string joined(const std::vector<std::string>& words, const std::string& separator = " ") {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : separator) + word;
  return list;
}

std::vector<std::string> names_of(const std::vector<Command>& commands) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);
  return names;
}

std::vector<Flag> flags_of(const Command& command) {
  std::vector<Flag> flags;
  for (const FlagGroup& group : all_flags(command)) {
    flags.insert(flags.end(), group.flags.begin(), group.flags.end());
  }
  return flags;
}

/// `text` with a backslash before each of `letters`.
std::string escaped(const std::string& text, const std::string& letters) {
  std::string result;
  for (const char letter : text) {
    if (letters.find(letter) != std::string::npos) result += '\\';
    result += letter;
  }
  return result;
}

// --- bash ---

std::string bash_reply(Value value, const std::vector<std::string>& words) {
  if (value == Value::kWords) return "_t2v_reply -W " + in_shell_quotes(joined(words));
  if (value == Value::kFiles) return "_t2v_files -f";
  return value == Value::kFolders ? "_t2v_files -d" : ":";
}

constexpr const char* kBashBegin = R"(# Completion of t2v in bash; made by: t2v completions bash
_t2v_reply() { mapfile -t COMPREPLY < <(compgen "$@" -- "$cur"); }
_t2v_files() { compopt -o filenames 2>/dev/null; _t2v_reply "$@"; }
_t2v() {
  local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  # "--flag=word" is three words.
  if [[ $cur == = ]]; then cur=; elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi
  previous=${previous//_/-}
)";

constexpr const char* kBashEnd = R"(}
complete -F _t2v t2v
)";

std::string bash_command(const Command& command) {
  std::string text = "    " + command.name + ")\n      case $previous in\n";
  std::vector<std::string> offered;
  for (const Flag& flag : flags_of(command)) {
    offered.push_back(flag.name());
    if (!flag.takes_value()) continue;
    text += "        " + joined(flag.names, "|") + ") " + bash_reply(value_of(flag), flag.choices);
    text += "; return ;;\n";
  }
  text +=
      "      esac\n      if [[ $cur == -* ]]; then _t2v_reply -W " + in_shell_quotes(joined(offered)) + "\n";
  const bool operand = !command.operands.empty();
  if (operand) {
    const Flag& first = command.operands[0];
    text += "      else " + bash_reply(value_of(first), first.choices) + "\n";
  }
  return text + "      fi ;;\n";
}

std::string bash_script(const std::vector<Command>& commands) {
  const std::vector<std::string> names = names_of(commands);
  std::string text = kBashBegin;
  text += "  case $command in " + joined(names, "|") + ") ;; *) command=" + names.front() + " ;; esac\n";
  text += "  if ((COMP_CWORD == 1)) && [[ $cur != -* ]]; then _t2v_reply -W " +
          in_shell_quotes(joined(names)) + "; return; fi\n  case $command in\n";
  for (const Command& command : commands) text += bash_command(command);
  return text + "  esac\n" + kBashEnd;
}

// --- zsh ---

std::string zsh_action(Value value, const std::vector<std::string>& words) {
  if (value == Value::kWords) return "(" + joined(words) + ")";
  if (value == Value::kFiles) return "_files";
  return value == Value::kFolders ? "_files -/" : " ";
}

std::string zsh_flag(const Flag& flag) {
  std::string text;
  for (const std::string& name : flag.names) {
    const std::string assign = !flag.takes_value() ? "" : name.size() > 2 ? "=" : "+";
    std::string spec = (flag.repeatable ? "*" : "") + name + assign;
    spec.append("[").append(escaped(flag.help, "[]:\\")).append("]");
    if (flag.takes_value()) {
      spec.append(":").append(escaped(flag.value, ":")).append(":");
      spec += zsh_action(value_of(flag), flag.choices);
    }
    text += "        " + in_shell_quotes(spec) + " \\\n";
  }
  return text;
}

std::string zsh_script(const std::vector<Command>& commands) {
  const std::vector<std::string> names = names_of(commands);
  std::string text = "#compdef t2v\n# Completion of t2v in zsh; made by: t2v completions zsh\n_t2v() {\n";
  text += "  local command=" + names.front() + "\n  local -a commands\n  commands=(\n";
  for (const Command& command : commands) {
    text += "    " + in_shell_quotes(command.name + ":" + escaped(command.summary, ":")) + "\n";
  }
  text += "  )\n  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n";
  text += "    _describe command commands\n    return\n  fi\n";
  text += "  case $words[2] in\n    (" + joined(names, "|") +
          ") command=$words[2]; shift words; (( CURRENT-- )) ;;\n  esac\n  case $command in\n";
  for (const Command& command : commands) {
    text += "    (" + command.name + ")\n      _arguments \\\n";
    for (const Flag& flag : flags_of(command)) text += zsh_flag(flag);
    for (const Flag& operand : command.operands) {
      text += "        " +
              in_shell_quotes(":" + operand.name() + ":" + zsh_action(value_of(operand), operand.choices)) +
              " \\\n";
    }
    text += "        && return ;;\n";
  }
  return text + "  esac\n}\n_t2v \"$@\"\n";
}

// --- fish ---

std::string fish_quoted(const std::string& text) {
  return std::string("'").append(escaped(text, "'\\")).append("'");
}

std::string fish_action(Value value, const std::vector<std::string>& words) {
  if (value == Value::kWords) return " -xa " + fish_quoted(joined(words));
  if (value == Value::kFiles) return " -rF";
  if (value == Value::kFolders) return " -xa '(__fish_complete_directories)'";
  return value == Value::kText ? " -x" : "";
}

std::string fish_flag(const std::string& when, const Flag& flag) {
  std::string text = when;
  for (const std::string& name : flag.names) {
    text += name.size() > 2 ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  return text + fish_action(value_of(flag), flag.choices) + " -d " + fish_quoted(flag.help) + "\n";
}

std::string fish_script(const std::vector<Command>& commands) {
  const std::vector<std::string> names = names_of(commands);
  std::string text = "# Completion of t2v in fish; made by: t2v completions fish\n";
  text += "function __t2v_command\n  set -l words (commandline -opc)\n  set -l command " + names.front() +
          "\n  if test (count $words) -gt 1; and contains -- $words[2] " + joined(names) +
          "\n    set command $words[2]\n  end\n  test $command = $argv[1]\nend\n";
  text += "function __t2v_first\n  test (count (commandline -opc)) -eq 1\nend\ncomplete -c t2v -f\n";
  for (const Command& command : commands) {
    text +=
        "complete -c t2v -n __t2v_first -a " + command.name + " -d " + fish_quoted(command.summary) + "\n";
  }
  for (const Command& command : commands) {
    const std::string when = "complete -c t2v -n '__t2v_command " + command.name + "'";
    for (const Flag& flag : flags_of(command)) text += fish_flag(when, flag);
    if (command.operands.empty()) continue;
    const Flag& first = command.operands[0];
    const bool files = value_of(first) == Value::kFiles;
    text += when + (files ? " -F" : " -a " + fish_quoted(joined(first.choices))) + "\n";
  }
  return text;
}

/// A script for one of kShells that completes commands, flags, values of flags, and files.
std::string completion_script(const std::string& shell, std::vector<Command> commands) {
  const std::vector<std::string> names = names_of(commands);
  for (Command& command : commands) {
    for (Flag& operand : command.operands) {
      if (operand.name() == "COMMAND") operand.choices = names;
    }
  }
  if (shell == "bash") return bash_script(commands);
  return shell == "zsh" ? zsh_script(commands) : fish_script(commands);
}

constexpr const char* kDescription =
    R"text(t2v completions: prints a script that makes a shell complete commands, flags,
values and files.

Examples
  eval "$(t2v completions bash)"
  t2v completions fish > t2v.fish

Usage
  t2v completions SHELL

)text";

constexpr const char* kNotes = R"(
An installation has these scripts in the folders where the shells look for them.
Without an installation:
  bash    put the first example into ~/.bashrc
  zsh     t2v completions zsh > ~/.zfunc/_t2v, with fpath+=(~/.zfunc) before
          compinit in ~/.zshrc
  fish    t2v completions fish > ~/.config/fish/completions/t2v.fish
)";

}  // namespace

Command completions_command() {
  const auto shell = std::make_shared<std::string>();
  Flag operand = choice_flag({"SHELL"}, "The shell", kShells, *shell);
  operand.value = "";
  return {.name = "completions",
          .summary = "Prints a completion script for a shell",
          .description = kDescription,
          .notes = kNotes,
          .operands = {operand},
          .run = [shell](const Invocation&, Progress&) {
            return print(completion_script(*shell, all_commands()));
          }};
}

}  // namespace t2v
