#include <memory>

#include "cli/screen/streams.h"
#include "commands.h"
#include "help.h"
#include "man_page.h"

namespace t2v {
namespace {

constexpr const char* kDescription = R"(t2v help: prints the help of a command.

Examples
  t2v help rerun
  t2v help --man > t2v.1

Usage
  t2v help [COMMAND]

)";

}  // namespace

Command help_command() {
  const auto name = std::make_shared<std::string>();
  const auto man = std::make_shared<bool>(false);
  return {.name = "help",
          .summary = "Prints the help of a command",
          .description = kDescription,
          .notes = "",
          .operands = {{{"COMMAND"},
                        "",
                        "The command",
                        "",
                        "generate",
                        [name](const FlagValue& value) { *name = value.text; }}},
          .flags = {{"What to print",
                     {switch_flag({"--man"}, "Print the man page of all commands", *man, true)}}},
          .stopped = "",
          .run = [name, man](const Invocation& invocation, Progress& progress) {
            if (*man) return print(man_page(all_commands()));
            const Command* command = name->empty() ? &all_commands().front() : find_command(*name);
            if (command == nullptr) refuse_command(*name);
            return print_help(*command)(invocation, progress);
          }};
}

}  // namespace t2v
