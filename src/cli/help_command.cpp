#include <memory>

#include "commands.h"
#include "help.h"

namespace t2v {

Command help_command() {
  const auto name = std::make_shared<std::string>();
  return {.name = "help",
          .summary = "The help of a command",
          .description = "t2v help: what a command does and takes.\n\nUsage\n  t2v help [COMMAND]\n",
          .notes = "",
          .operands = {{{"COMMAND"},
                        "",
                        "The command",
                        "",
                        "generate",
                        [name](const FlagValue& value) { *name = value.text; }}},
          .flags = {},
          .stopped = "",
          .run = [name](const Invocation& invocation, Progress& progress) {
            const Command* command = name->empty() ? &all_commands().front() : find_command(*name);
            if (command == nullptr) refuse_command(*name);
            return print_help(*command)(invocation, progress);
          }};
}

}  // namespace t2v
