#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "commands.h"
#include "flags.h"
#include "prompt.h"
#include "result.h"
#include "run_command.h"
#include "signals.h"
#include "streams.h"
#include "t2v/error.h"

namespace t2v {
namespace {

constexpr const char* kDescription =
    R"(t2v: renders a video clip from a text prompt.

Examples
  t2v --prompt "a red ball moves to the right over green grass" -o clip.mp4
  t2v -p "an orange fish circles in the sea" --seed 7 -o fish.mp4
  t2v -p "a white star spins at night" --quality lossless -o star.mkv
  echo "a green car moves left in the desert" | t2v -p - -o car.mp4

Usage
  t2v [generate] --prompt TEXT -o FILE [flags]
)";

constexpr const char* kNotes = R"(
In long flags _ and - are the same. Of a flag given twice the last one holds,
and so of flags that say the same in two ways, such as --size and --width.
Values are never rounded in silence: what the model cannot make is an error.

Standard output: the path of the clip (of .png files, the first), or with --json
  {"output": PATH, "seconds": X, "settings": {...}}
Standard error: everything else. The seed used is always shown unless quiet.

--progress json writes one JSON object a line, each with "version" (1), "event"
and "elapsed" (seconds since the start); a reader skips events it does not know:
  start        "settings": what will be rendered
  load, encode_text, step, decode, write
               "done" of "total" (0: not counted), "detail" (a component, a
               path), "left" (seconds left of this phase, null if not known)
  log          "message": a warning or a detail
  done         "output": the path of the clip, which is whole now
  error        "code" (the exit code), "message"
  summary      "ok", "seconds": {phase: seconds}; last, if the run began
)";

void complete(const Invocation& invocation, GenerateArguments& arguments) {
  GenerateRequest& request = arguments.request;
  const auto require = [](bool given, const char* flag, const char* what) {
    if (given) return;
    throw Error(ErrorCode::kUsage,
                {.doing = flag, .got = "nothing", .expected = what, .advice = "t2v --help shows examples"});
  };
  require(!request.output.empty(), "--output", "where to write the clip");
  require(!request.prompt.empty() || !arguments.prompt_file.empty(), "--prompt", "a description of the clip");
  if (invocation.json && request.output == "-") {
    throw Error(ErrorCode::kUsage, {.doing = "--json",
                                    .got = "--output -",
                                    .expected = "one of them: both go to standard output",
                                    .advice = "use --progress json"});
  }
  if (!arguments.prompt_file.empty()) request.prompt = read_prompt(arguments.prompt_file);
  request.arguments = invocation.words;
}

int render(const Invocation& invocation, GenerateArguments& arguments, Progress& progress) {
  complete(invocation, arguments);
  const RunControl control = make_run_control(progress);
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
      !write_all(STDOUT_FILENO, describe_result(result, invocation.json, progress.seconds()))) {
    // The clip is there, which is what the exit code tells.
    progress.log(std::string("t2v: warning: the clip is written, but standard output is not: ") +
                 std::strerror(errno));
  }
  return 0;
}

}  // namespace

Command generate_command() {
  const auto arguments = std::make_shared<GenerateArguments>();
  return {.name = "generate",
          .summary = "Renders a clip; the default",
          .description = kDescription,
          .notes = kNotes,
          .operands = {},
          .flags = generate_flags(*arguments),
          .stopped = "no clip was written",
          .run = [arguments](const Invocation& invocation, Progress& progress) {
            return render(invocation, *arguments, progress);
          }};
}

}  // namespace t2v
