#include "render_clip.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <optional>

#include <nlohmann/json.hpp>

#include "cli/flags/sheet_and_preview.h"
#include "cli/flags/text_file.h"
#include "cli/flags/usage_error.h"
#include "cli/screen/clip_messages.h"
#include "cli/screen/print_plan.h"
#include "cli/screen/progress.h"
#include "cli/screen/signals.h"
#include "cli/screen/streams.h"
#include "core/text.h"
#include "t2v/plan.h"

namespace t2v {
namespace {

/// Adds the prompt of --prompt-file and the command line to the request. Error (kUsage) for a missing flag.
void complete_request(const Invocation& invocation, GenerateArguments& arguments) {
  GenerateRequest& request = arguments.request;
  const auto require = [](bool given, const char* flag, const char* expected) {
    if (!given) refuse(flag, "nothing", expected, "t2v --help shows examples");
  };
  require(!request.outputs.output.empty(), "--output", "where to write the clip");
  require(!request.prompt.empty() || !arguments.prompt_file.empty(), "--prompt", "a description of the clip");
  if (!arguments.prompt_file.empty()) request.prompt = read_prompt(arguments.prompt_file);
  request.arguments = invocation.words;
}

/// Makes every check that a run makes before it loads a model, and prints the plan.
int dry_run(const Invocation& invocation, const GenerateArguments& arguments) {
  expect_one_output(invocation.json, arguments.request.outputs.output);
  if (arguments.skip_existing) {
    if (const auto existing = find_rendered(arguments.request)) {
      return print_existing_clip(*existing, invocation.json);
    }
  }
  if (!arguments.sheet.empty()) check_sheet(arguments.sheet, arguments.request.outputs.overwrite);
  return print_plan(plan_run(arguments.request), invocation.json);
}

/// Makes a quiet run show its random seed, without which the clip cannot be made again. A run whose result or
/// progress is JSON shows the seed anyway.
void show_random_seed(const Invocation& invocation, Progress& progress, RunControl& control) {
  const bool has_settings = invocation.json || invocation.progress == "json";
  if (invocation.log_level != LogLevel::kQuiet || has_settings) return;
  control.on_event = [&progress, show = control.on_event](const Event& event) {
    if (event.kind == Event::Kind::kStart) {
      const auto settings = nlohmann::json::parse(event.detail, nullptr, /*allow_exceptions=*/false);
      if (settings.is_object()) progress.log("t2v: seed " + settings.value("seed", ""));
    }
    show(event);
  };
}

}  // namespace

void make_and_print(const Invocation& invocation, const std::filesystem::path& output, Progress& progress,
                    const std::function<GenerateResult()>& make, const std::function<void()>& finish) {
  const bool clip_is_the_output = output == "-";
  expect_one_output(invocation.json, output);
  GenerateResult result;
  try {
    result = make();
  } catch (const Error&) {
    if (clip_is_the_output && is_closed_pipe(STDOUT_FILENO)) end_by_closed_pipe();
    throw;
  }
  std::exception_ptr unfinished;
  try {
    if (finish) finish();
    progress.summarize(true);
  } catch (...) {
    unfinished = std::current_exception();
    progress.note("t2v: wrote " + escape_for_display(result.output.string()));
  }
  if (!clip_is_the_output &&
      !write_all(STDOUT_FILENO, clip_line(result, invocation.json, progress.seconds()))) {
    // A warning only: the exit code says whether the clip was written.
    progress.log(std::string("t2v: warning: the clip is written, but standard output is not: ") +
                 std::strerror(errno));
  }
  if (unfinished) std::rethrow_exception(unfinished);
}

int render_clip(const Invocation& invocation, GenerateArguments& arguments, Progress& progress,
                const std::function<void(const GenerateResult&)>& on_rendered) {
  complete_request(invocation, arguments);
  check_sheet_and_preview(invocation, arguments);
  if (arguments.dry_run) return dry_run(invocation, arguments);
  const GenerateRequest& request = arguments.request;
  RunControl control = make_run_control(progress);
  control.on_preview = preview_in_terminal(arguments, progress);
  if (!request.sampling.seed) show_random_seed(invocation, progress, control);
  std::optional<GenerateResult> existing;
  const auto make = [&] {
    if (arguments.skip_existing) existing = find_rendered(request);
    if (existing) {
      progress.note("t2v: " + escape_for_display(existing->output.string()) + " is there already");
      if (lacks_latents(request.outputs)) warn_missing_latents(request.outputs, 0, progress);
      return *existing;
    }
    // An existing sheet would show another clip.
    if (!arguments.sheet.empty()) check_sheet(arguments.sheet, request.outputs.overwrite);
    GenerateResult result = generate(request, control);
    if (on_rendered) on_rendered(result);
    return result;
  };
  make_and_print(invocation, request.outputs.output, progress, make, [&] {
    std::error_code ignored;
    if (arguments.sheet.empty() || (existing && std::filesystem::exists(arguments.sheet, ignored))) return;
    write_sheet_of({{.clip = request.outputs.output, .label = ""}}, arguments.sheet,
                   request.outputs.overwrite);
  });
  return 0;
}

}  // namespace t2v
