#include "commands.h"

#include "t2v/error.h"
#include "t2v/text.h"

namespace t2v {
namespace {

/// Those that have no --dry-run of their own change nothing: they take it, and do the same.
std::vector<Command> with_dry_run(std::vector<Command> commands) {
  static bool ignored = false;
  const Flag same = switch_flag({"--dry-run"}, "The same: this command changes nothing", ignored, true);
  for (Command& command : commands) {
    if (find_flag(command.flags, "--dry-run") == nullptr) command.flags.push_back({"In scripts", {same}});
  }
  return commands;
}

}  // namespace

const std::vector<Command>& all_commands() {
  static const std::vector<Command> commands = with_dry_run(
      {generate_command(), batch_command(), plan_command(), bench_command(), pull_command(), models_command(),
       inspect_command(), compare_command(), convert_command(), decode_command(), rerun_command(),
       config_command(), completions_command(), doctor_command(), help_command(), version_command()});
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
  std::vector<FlagGroup> flags = {talking_flags(unread)};
  for (const Command& command : all_commands()) {
    if (is_configurable(command)) flags.insert(flags.end(), command.flags.begin(), command.flags.end());
  }
  return flags;
}

void refuse_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : all_commands()) names.push_back(command.name);
  const std::string meant = closest_match(name, names);
  const std::string advice = name.find(' ') != std::string::npos
                                 ? "what the clip shows is given with --prompt"
                             : meant.empty() ? "t2v --help lists the commands"
                                             : "did you mean " + meant + "?";
  throw Error(ErrorCode::kUsage, {.doing = "unknown command \"" + name + '"', .advice = advice});
}

}  // namespace t2v
