#include "run_command.h"

#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <new>

#include "cli/flags/with_flags.h"
#include "cli/screen/in_flags.h"
#include "cli/screen/signals.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "help.h"
#include "parse_arguments.h"
#include "t2v/error.h"
#include "t2v/process.h"

namespace t2v {
namespace {

ProgressOptions progress_options(const Invocation& invocation) {
  const bool terminal = is_terminal(STDERR_FILENO);
  const char* no_color = std::getenv("NO_COLOR");
  const bool allowed = no_color == nullptr || *no_color == '\0';
  ProgressOptions options{
      .style = invocation.progress,
      .quiet = invocation.log_level == LogLevel::kQuiet,
      .color = invocation.color == "always" || (invocation.color == "auto" && terminal && allowed)};
  if (options.style == "auto") options.style = options.quiet ? "none" : terminal ? "bar" : "plain";
  return options;
}

/// Warns of variables that look like flags and are not read. t2v config shows them in its table instead.
void warn_of_variables(const Command& command, Progress& progress) {
  if (command.name == "config") return;
  if (!is_configurable(command)) {
    for (const GivenFlag& variable : given_from_environment(command.flags))
      progress.note("t2v: warning: " + variable.where + ": t2v " + command.name + " reads no variables");
    return;
  }
  for (const UnusedVariable& variable : unused_variables(configurable_flags())) {
    progress.note("t2v: warning: " + variable.warning);
  }
}

/// Runs the command and reports its errors. Returns the exit code.
int run_guarded(const Command& command, const Invocation& invocation, Progress& progress) {
  const auto fail = [&progress](ErrorCode code, const std::string& message) {
    progress.fail(static_cast<int>(code), message);
    progress.summarize(false);
    return static_cast<int>(code);
  };
  try {
    const int code = command.run(invocation, progress);
    if (!stop_requested()) return code;
    // The signal came after the last step; a shell loop around the command must still end.
    progress.stop(stop_code(), "stopped after the work was done");
    end_by_signal();
  } catch (const Error& error) {
    return fail(error.code(), error.what());
  } catch (const Stopped&) {
    progress.stop(stop_code(), "stopped; " + command.stopped);
    progress.summarize(false);
    end_by_signal();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kResource,
                "out of memory; a clip takes less with a lower --width, --height or --frames");
  } catch (const std::exception& error) {
    const Error bug(ErrorCode::kBug, {.doing = "a bug in t2v", .advice = error.what()});
    return fail(bug.code(), bug.what());
  } catch (...) {
    return fail(ErrorCode::kBug, "a bug in t2v; an exception of unknown type");
  }
}

}  // namespace

int run_command(const std::vector<std::string>& words) {
  Invocation invocation{.words = words};
  Command command;
  try {
    command = parse_arguments(invocation);
    if (invocation.version) command = *find_command("version");
    if (invocation.help) command.run = print_help(command);
  } catch (...) {
    // Reported by run_guarded(), in the style that the rest of the command line asks for.
    command.run = [usage_error = std::current_exception()](const Invocation&, Progress&) -> int {
      std::rethrow_exception(usage_error);
    };
  }
  tune_process();
  set_in_flags([](const std::string& message) { return with_flags(flags_of_all_commands(), message); });
  Progress progress(progress_options(invocation));
  set_log(invocation.log_level, [&progress](const std::string& line) { progress.log(line); });
  if (!invocation.help && !invocation.version) warn_of_variables(command, progress);
  return run_guarded(command, invocation, progress);
}

}  // namespace t2v
