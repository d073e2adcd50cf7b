#include "command.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <new>

#include <nlohmann/json.hpp>

#include "arguments.h"
#include "help.h"
#include "progress.h"
#include "prompt.h"
#include "signals.h"
#include "streams.h"
#include "t2v/error.h"

namespace t2v {
namespace {

ProgressOptions progress_options(const Arguments& arguments) {
  const bool terminal = is_terminal(STDERR_FILENO);
  const char* no_color = std::getenv("NO_COLOR");
  const bool allowed = no_color == nullptr || *no_color == '\0';
  ProgressOptions options{
      .style = arguments.progress,
      .quiet = arguments.log_level == LogLevel::kQuiet,
      .color = arguments.color == "always" || (arguments.color == "auto" && terminal && allowed)};
  if (options.style == "auto") options.style = options.quiet ? "none" : terminal ? "bar" : "plain";
  return options;
}

/// What --help and --version print is the result: if it cannot be written, they failed.
int print(const std::string& text) {
  if (!write_all(STDOUT_FILENO, text)) {
    throw Error(ErrorCode::kOutput, {.doing = "writing to standard output", .got = std::strerror(errno)});
  }
  return 0;
}

std::string describe_result(const GenerateResult& result, bool json, double seconds) {
  if (!json) return result.output.string() + '\n';
  const nlohmann::ordered_json object = {{"output", result.output.string()},
                                         {"seconds", seconds},
                                         {"settings", nlohmann::ordered_json::parse(result.settings)}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

void complete(Arguments& arguments) {
  GenerateRequest& request = arguments.request;
  const auto require = [](bool given, const char* flag, const char* what) {
    if (given) return;
    throw Error(ErrorCode::kUsage,
                {.doing = flag, .got = "nothing", .expected = what, .advice = "t2v --help shows examples"});
  };
  require(!request.output.empty(), "--output", "where to write the clip");
  require(!request.prompt.empty() || !arguments.prompt_file.empty(), "--prompt", "a description of the clip");
  if (arguments.json && request.output == "-") {
    throw Error(ErrorCode::kUsage, {.doing = "--json",
                                    .got = "--output -",
                                    .expected = "one of them: both go to standard output",
                                    .advice = "use --progress json"});
  }
  if (!arguments.prompt_file.empty()) request.prompt = read_prompt(arguments.prompt_file);
}

int render(Arguments& arguments, Progress& progress) {
  complete(arguments);
  set_log(arguments.log_level, [&progress](const std::string& line) { progress.log(line); });
  install_stop_handlers(progress.stop_notice());
  const RunControl control{.on_event = [&progress](const Event& event) { progress.on_event(event); },
                           .stop = &stop_requested()};
  const bool clip_is_the_output = arguments.request.output == "-";
  GenerateResult result;
  try {
    result = generate(arguments.request, control);
  } catch (const Error&) {
    if (clip_is_the_output && is_closed_pipe(STDOUT_FILENO)) end_by_closed_pipe();
    throw;
  }
  progress.summarize(true);
  if (!clip_is_the_output &&
      !write_all(STDOUT_FILENO, describe_result(result, arguments.json, progress.seconds()))) {
    // The clip is there, which is what the exit code tells.
    progress.log(std::string("t2v: warning: the clip is written, but standard output is not: ") +
                 std::strerror(errno));
  }
  if (stop_requested()) end_by_signal();  // it came too late for this clip, but a loop around it has to end
  return 0;
}

/// Runs `work` and reports how it failed, if it did; the exit code.
int guarded(Progress& progress, const std::function<int()>& work) {
  const auto fail = [&progress](ErrorCode code, const std::string& message) {
    progress.fail(static_cast<int>(code), message);
    progress.summarize(false);
    return static_cast<int>(code);
  };
  try {
    return work();
  } catch (const Error& error) {
    return fail(error.code(), error.what());
  } catch (const Stopped&) {
    progress.log("t2v: stopped; no clip was written");
    progress.summarize(false);
    end_by_signal();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kResource, "out of memory; lower --width, --height or --frames");
  } catch (const std::exception& error) {
    const Error bug(ErrorCode::kBug, {.doing = "a bug in t2v", .advice = error.what()});
    return fail(bug.code(), bug.what());
  } catch (...) {
    return fail(ErrorCode::kBug, "a bug in t2v; an exception of unknown type");
  }
}

}  // namespace

int run_command(const std::vector<std::string>& words) {
  Arguments arguments;
  std::exception_ptr misread;
  try {
    parse_arguments(words, arguments);
  } catch (...) {
    misread = std::current_exception();  // reported in the style that the rest of the line asks for
  }
  Progress progress(progress_options(arguments));
  return guarded(progress, [&] {
    if (misread) std::rethrow_exception(misread);
    if (arguments.help) return print(help_text());
    if (arguments.version) return print(std::string("t2v ") + version() + '\n');
    return render(arguments, progress);
  });
}

}  // namespace t2v
