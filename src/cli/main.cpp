#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "cli/flags/command_line.h"
#include "cli/flags/usage_error.h"
#include "cli/flags/with_flags.h"
#include "cli/screen/in_flags.h"
#include "cli/screen/signals.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "core/text.h"
#include "t2v/error.h"
#include "t2v/process.h"

namespace t2v {
namespace {

using Groups = std::vector<FlagGroup>;

std::string see_help(const Command& command) {
  return (is_default(command) ? "t2v" : "t2v " + command.name) + " --help lists the flags";
}

[[noreturn]] void refuse_flag(const Command& command, const Groups& groups, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  const std::vector<std::string> names = flag_names(groups);
  std::string meant = closest_match(name, names);
  for (const std::string& candidate : names) {
    if (meant.empty() && name.size() > 3 && candidate.starts_with(name)) meant = candidate;
  }
  refuse("unknown flag " + name, "", "", meant.empty() ? see_help(command) : "did you mean " + meant + "?");
}

/// Throws the Error for a word that is neither a flag, nor a value, nor an operand.
[[noreturn]] void refuse_word(const Command& command, const std::string& word) {
  const bool late_command = find_command(word) != nullptr;
  refuse("command line", '"' + word + "\" after everything that t2v " + command.name + " takes",
         "another flag",
         late_command ? "the name of a command comes first: t2v " + word : "quote text that has blanks");
}

void take_operands(const Command& command, const Groups& groups, const std::vector<std::string>& words) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (is_flag_like(words[i])) refuse_flag(command, groups, words[i]);
    const bool again = !command.operands.empty() && command.operands.back().repeatable;
    if (i >= command.operands.size() && !again) refuse_word(command, words[i]);
    const Flag& operand = command.operands[std::min(i, command.operands.size() - 1)];
    operand.set({operand.name(), words[i]});
  }
  for (size_t i = words.size(); i < command.operands.size(); ++i) {
    const Flag& operand = command.operands[i];
    if (!operand.fallback.empty()) continue;
    std::string wanted = operand.help;
    wanted[0] = static_cast<char>(std::tolower(wanted[0]));
    refuse(operand.name(), "nothing", wanted, see_help(command));
  }
}

/// The flags of the command line, joined with the flags of the config file that they name.
std::vector<GivenFlag> with_config(const Groups& groups, const std::vector<GivenFlag>& given) {
  for (const GivenFlag& item : given) {
    if (item.name == "config") return merge(groups, given, read_config(item.values.front()));
  }
  return given;
}

/// Reads the words of `invocation` into its other fields and into the variables behind the flags and operands
/// of the command. Returns the command. Error (kUsage). General flags are read first, so that they count for
/// this error too.
const Command& parse_arguments(Invocation& invocation) {
  const std::vector<std::string>& words = invocation.words;
  const Command* named = words.empty() ? nullptr : find_command(words[0]);
  const Command& command = named != nullptr ? *named : all_commands().front();
  const Groups general = {general_flags(invocation)};
  Groups groups = command.flags;
  groups.push_back(general.front());
  const CommandLine line =
      read_command_line(groups, {words.begin() + (named != nullptr ? 1 : 0), words.end()});
  apply_given(general, known_to(general, line.flags));
  if (invocation.help || invocation.version) return command;
  const bool configurable = is_configurable(command);
  std::vector<GivenFlag> given =
      merge(groups, line.flags, given_from_environment(configurable ? groups : general));
  apply_given(general, known_to(general, given));
  const bool unknown_command = named == nullptr && !line.other_words.empty() &&
                               line.other_words[0] == words[0] && !is_flag_like(words[0]);
  if (unknown_command) refuse_command(words[0]);
  take_operands(command, groups, line.other_words);
  if (configurable) given = with_config(groups, given);
  apply_given(groups, given);
  invocation.given = given;
  return command;
}

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

/// Runs the command that the words ask for; they do not include the program's name. Returns the exit code, or
/// ends the process if a signal stopped the run.
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

}  // namespace
}  // namespace t2v

int main(int argument_count, char** arguments) {
  t2v::open_missing_streams();
  t2v::install_fault_handlers();
  t2v::watch_stop_signals();
  return t2v::run_command(
      std::vector<std::string>(arguments + (argument_count > 0 ? 1 : 0), arguments + argument_count));
}
