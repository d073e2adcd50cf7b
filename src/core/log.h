#pragma once

#include <string>

namespace t2v {

/// How much the log on standard error says.
enum class LogLevel { kQuiet, kNormal, kVerbose };

/// Sets the level of this process; kNormal until called. Lines go to standard error.
void set_log_level(LogLevel level);

/// One line that a user should see although nothing failed. Not shown when quiet.
void log_warning(const std::string& message);

/// One line for who asked for more (`-v`): files, dtypes, shapes, backends.
void log_verbose(const std::string& message);

}  // namespace t2v
