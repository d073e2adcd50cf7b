#include <memory>

#include "cli/screen/streams.h"
#include "commands.h"
#include "help.h"
#include "man_page.h"

namespace t2v {

Command help_command() {
  const auto name = std::make_shared<std::string>();
  const auto man = std::make_shared<bool>(false);
  return {.name = "help",
          .summary = "The help of a command",
          .description =
              "t2v help: what a command does and takes.\n\nExamples\n  t2v help rerun\n  t2v help --man > "
              "t2v.1\n\n"
              "Usage\n  t2v help [COMMAND]\n\n",
          .notes = "",
          .operands = {{{"COMMAND"},
                        "",
                        "The command",
                        "",
                        "generate",
                        [name](const FlagValue& value) { *name = value.text; }}},
          .flags = {{"What to show",
                     {switch_flag({"--man"}, "The man page, which is about all commands", *man, true)}}},
          .stopped = "",
          .run = [name, man](const Invocation& invocation, Progress& progress) {
            if (*man) return print(man_page(all_commands()));
            const Command* command = name->empty() ? &all_commands().front() : find_command(*name);
            if (command == nullptr) refuse_command(*name);
            return print_help(*command)(invocation, progress);
          }};
}

}  // namespace t2v
