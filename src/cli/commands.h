#pragma once

#include <string>
#include <vector>

#include "command.h"

namespace t2v {

// Each of these is in the file of its name. A new one is declared here and listed in commands.cpp.
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

/// True for the command that a command line without a name means.
bool is_default(const Command& command);

/// The command of that name; nullptr if there is none.
const Command* find_command(const std::string& name);

/// Whether T2V_ variables and --config say what its flags are.
bool is_configurable(const Command& command);
/// The flags of all commands that are: to know their names by.
std::vector<FlagGroup> configurable_flags();

/// The Error (kUsage) for a name that no command has, with the one that was meant.
[[noreturn]] void refuse_command(const std::string& name);

}  // namespace t2v
