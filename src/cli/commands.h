#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/flags/command_line.h"
#include "cli/screen/progress.h"

namespace t2v {

/// One command: its help, its flags and its action. A function in a file of its own makes it; `run` keeps the
/// variables alive that the flags write into.
struct Command {
  std::string name;
  std::string summary;      ///< its line in the list of commands
  std::string description;  ///< the first part of --help: title, examples, usage
  std::string notes = "";   ///< the part of --help after the flags
  /// Words without a flag, in order. An operand without a fallback is required.
  std::vector<Flag> operands = {};
  std::vector<FlagGroup> flags = {};            ///< without general_flags()
  std::string stopped = "nothing was changed";  ///< the message after "stopped; ", when a signal stopped it
  /// Returns the exit code. Error, Stopped.
  std::function<int(const Invocation&, Progress&)> run;
};

/// The flags of a command and general_flags(), whose values nobody reads.
std::vector<FlagGroup> all_flags(const Command& command);

// Each function stands in the file of its name. A new command is declared here and listed in commands.cpp.
Command generate_command();
Command batch_command();
Command plan_command();
Command bench_command();
Command pull_command();
Command models_command();
Command inspect_command();
Command compare_command();
Command convert_command();
Command decode_command();
Command rerun_command();
Command config_command();
Command completions_command();
Command doctor_command();
Command help_command();
Command version_command();

/// Every command in the order of --help; the first is the default.
const std::vector<Command>& all_commands();

/// Whether a command line without the name of a command means this one.
bool is_default(const Command& command);

/// The command of that name; nullptr for none.
const Command* find_command(const std::string& name);

/// Whether T2V_ variables and --config can set the flags of the command.
bool is_configurable(const Command& command);
/// The flags of every configurable command, for looking up names.
std::vector<FlagGroup> configurable_flags();

/// The flags of every command, for messages of the library.
const std::vector<FlagGroup>& flags_of_all_commands();

/// Throws the Error (kUsage) for an unknown command; it suggests the nearest name.
[[noreturn]] void refuse_command(const std::string& name);

/// A value for Command::run that prints the help of `command`: examples, usage, every flag and the exit
/// codes; for the default command also the list of commands. At most 80 columns wide.
std::function<int(const Invocation&, Progress&)> print_help(const Command& command);

}  // namespace t2v
