#pragma once

#include <functional>
#include <string>

namespace t2v {

/// How much the log says: nothing but errors, what a user should see although nothing failed, details.
enum class LogLevel { kQuiet, kNormal, kVerbose };

/// Sets the log of this process: kNormal on standard error until called. `write` takes one line without its
/// newline, from any thread, never two at once; empty: standard error.
void set_log(LogLevel level, std::function<void(const std::string& line)> write = {});

}  // namespace t2v
