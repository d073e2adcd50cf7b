#include "render_clip.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <optional>

#include <nlohmann/json.hpp>

#include "cli/flags/prompt_file.h"
#include "cli/flags/sheet_and_preview.h"
#include "cli/screen/clip_messages.h"
#include "cli/screen/format.h"
#include "cli/screen/print_plan.h"
#include "cli/screen/signals.h"
#include "cli/screen/streams.h"
#include "run_command.h"
#include "t2v/error.h"
#include "t2v/plan.h"
#include "t2v/sheet.h"
#include "t2v/text.h"

namespace t2v {
namespace {

void complete(const Invocation& invocation, GenerateArguments& arguments) {
  GenerateRequest& request = arguments.request;
  const auto require = [](bool given, const char* flag, const char* what) {
    if (given) return;
    throw Error(ErrorCode::kUsage,
                {.doing = flag, .got = "nothing", .expected = what, .advice = "t2v --help shows examples"});
  };
  require(!request.outputs.output.empty(), "--output", "where to write the clip");
  require(!request.prompt.empty() || !arguments.prompt_file.empty(), "--prompt", "a description of the clip");
  if (!arguments.prompt_file.empty()) request.prompt = read_prompt(arguments.prompt_file);
  request.arguments = invocation.words;
}

/// Refuses what render() would refuse before it loads a model, and tells what it would take.
int dry_run(const Invocation& invocation, const GenerateArguments& arguments) {
  expect_one_output(invocation, arguments.request.outputs.output);
  if (arguments.skip_existing) {
    if (const auto rendered = find_rendered(arguments.request)) return show_there(*rendered, invocation.json);
  }
  if (!arguments.sheet.empty()) check_sheet(arguments.sheet, arguments.request.outputs.overwrite);
  return show_plan(plan_run(arguments.request), invocation.json);
}

/// A clip cannot be made again without its seed: one that was drawn is told even by a quiet run, unless its
/// result or its progress has the settings.
void tell_drawn_seed(const Invocation& invocation, Progress& progress, RunControl& control) {
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

void expect_one_output(const Invocation& invocation, const std::filesystem::path& output) {
  if (!invocation.json || output != "-") return;
  throw Error(ErrorCode::kUsage, {.doing = "--json",
                                  .got = "--output -",
                                  .expected = "one of them: both go to standard output",
                                  .advice = "use --progress json"});
}

bool lacks_latents(const Outputs& outputs) {
  std::error_code ignored;
  return !outputs.save_latents.empty() && !std::filesystem::exists(outputs.save_latents, ignored);
}

void tell_no_latents(const Outputs& outputs, size_t more, Progress& progress) {
  const auto shown = [](const std::filesystem::path& path) { return escape_for_display(path.string()); };
  const std::string others = more == 0 ? "" : " (nor are those of " + count_of_clips(more) + " more)";
  progress.note("t2v: warning: --save-latents " + shown(outputs.save_latents) + " is not written" + others +
                ": " + shown(outputs.output) +
                " is there already, and nothing is sampled; move the clip away to have both made");
}

void deliver(const Invocation& invocation, const std::filesystem::path& output, Progress& progress,
             const std::function<GenerateResult()>& make, const std::function<void()>& finish) {
  const bool clip_is_the_output = output == "-";
  expect_one_output(invocation, output);
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
      !write_all(STDOUT_FILENO, describe_result(result, invocation.json, progress.seconds()))) {
    // The clip is there, which is what the exit code tells.
    progress.log(std::string("t2v: warning: the clip is written, but standard output is not: ") +
                 std::strerror(errno));
  }
  if (unfinished) std::rethrow_exception(unfinished);
}

int render(const Invocation& invocation, GenerateArguments& arguments, Progress& progress,
           const std::function<void(const GenerateResult&)>& look) {
  complete(invocation, arguments);
  check_look(invocation, arguments);
  if (arguments.dry_run) return dry_run(invocation, arguments);
  RunControl control = make_run_control(progress);
  control.on_preview = preview_in_terminal(arguments, progress);
  if (!arguments.request.sampling.seed) tell_drawn_seed(invocation, progress, control);
  std::optional<GenerateResult> rendered;
  const auto make = [&] {
    if (arguments.skip_existing) rendered = find_rendered(arguments.request);
    if (rendered) {
      progress.note("t2v: " + escape_for_display(rendered->output.string()) + " is there already");
      if (lacks_latents(arguments.request.outputs)) tell_no_latents(arguments.request.outputs, 0, progress);
      return *rendered;
    }
    // One that is there would be of another clip.
    if (!arguments.sheet.empty()) check_sheet(arguments.sheet, arguments.request.outputs.overwrite);
    GenerateResult result = generate(arguments.request, control);
    if (look) look(result);
    return result;
  };
  deliver(invocation, arguments.request.outputs.output, progress, make, [&] {
    std::error_code ignored;
    if (arguments.sheet.empty() || (rendered && std::filesystem::exists(arguments.sheet, ignored))) return;
    make_sheet({{.clip = arguments.request.outputs.output, .label = ""}}, arguments.sheet,
               arguments.request.outputs.overwrite);
  });
  return 0;
}

}  // namespace t2v
