#pragma once

#include <functional>
#include <string>

namespace t2v {

/// Lines of the log: of errors alone; warnings and notes too; details too.
enum class LogLevel { kQuiet, kNormal, kVerbose };

/// Sets the log of this process, which is kNormal and goes to standard error at first. `write` gets each line
/// without its line break, on any thread, one at a time; an empty `write` keeps the one before.
void set_log(LogLevel level, std::function<void(const std::string& line)> write = {});

}  // namespace t2v
