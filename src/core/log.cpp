#include "core/log.h"

#include <cstdio>
#include <mutex>

#include "core/text.h"

namespace t2v {
namespace {

using Writer = std::function<void(const std::string&)>;

/// The log of this process.
struct Log {
  std::mutex mutex;
  LogLevel level = LogLevel::kNormal;
  Writer write = [](const std::string& line) { std::fputs((line + '\n').c_str(), stderr); };
};

Log& log() {
  static Log instance;
  return instance;
}

/// Writes a line unless the level of the log is below `least`.
void write(LogLevel least, const std::string& prefix, const std::string& message) {
  const std::lock_guard lock(log().mutex);
  if (log().level >= least) log().write(prefix + escape_for_display(message));
}

}  // namespace

void set_log(LogLevel level, Writer write) {
  const std::lock_guard lock(log().mutex);
  log().level = level;
  if (write) log().write = std::move(write);
}

void log_warning(const std::string& message) { write(LogLevel::kNormal, "t2v: warning: ", message); }

void log_beside_error(const std::string& message) { write(LogLevel::kQuiet, "t2v: warning: ", message); }

void log_note(const std::string& message) { write(LogLevel::kNormal, "t2v: ", message); }

void log_verbose(const std::string& message) { write(LogLevel::kVerbose, "t2v: ", message); }

}  // namespace t2v
