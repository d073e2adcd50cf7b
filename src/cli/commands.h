#pragma once

#include <string>
#include <vector>

#include "command.h"

namespace t2v {

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

}  // namespace t2v
