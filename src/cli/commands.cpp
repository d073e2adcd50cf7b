#include "commands.h"

#include "cli/flags/usage_error.h"
#include "core/text.h"

namespace t2v {

std::vector<FlagGroup> all_flags(const Command& command) {
  static Invocation unread;
  std::vector<FlagGroup> groups = command.flags;
  groups.push_back(general_flags(unread));
  return groups;
}

const std::vector<Command>& all_commands() {
  static const std::vector<Command> commands = {
      generate_command(),    batch_command(),  plan_command(),    bench_command(),
      pull_command(),        models_command(), inspect_command(), compare_command(),
      convert_command(),     decode_command(), rerun_command(),   config_command(),
      completions_command(), doctor_command(), help_command(),    version_command()};
  return commands;
}

bool is_default(const Command& command) { return command.name == all_commands().front().name; }

const Command* find_command(const std::string& name) {
  for (const Command& command : all_commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

bool is_configurable(const Command& command) { return find_flag(command.flags, "--config") != nullptr; }

std::vector<FlagGroup> configurable_flags() {
  static Invocation unread;
  std::vector<FlagGroup> flags = {general_flags(unread)};
  for (const Command& command : all_commands()) {
    if (is_configurable(command)) flags.insert(flags.end(), command.flags.begin(), command.flags.end());
  }
  return flags;
}

const std::vector<FlagGroup>& flags_of_all_commands() {
  static const std::vector<FlagGroup> flags = [] {
    std::vector<FlagGroup> groups;
    for (const Command& command : all_commands()) {
      for (const FlagGroup& group : all_flags(command)) groups.push_back(group);
    }
    return groups;
  }();
  return flags;
}

void refuse_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : all_commands()) names.push_back(command.name);
  const std::string meant = closest_match(name, names);
  refuse("unknown command \"" + name + '"', "", "",
         name.find(' ') != std::string::npos ? "give the prompt with --prompt"
         : meant.empty()                     ? "t2v --help lists the commands"
                                             : "did you mean " + meant + "?");
}

}  // namespace t2v
