#include <memory>

#include "cli/screen/streams.h"
#include "commands.h"
#include "completions.h"

namespace t2v {
namespace {

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
          .flags = {},
          .stopped = "",
          .run = [shell](const Invocation&, Progress&) {
            return print(completion_script(*shell, all_commands()));
          }};
}

}  // namespace t2v
