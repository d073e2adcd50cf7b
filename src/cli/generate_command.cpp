#include <memory>

#include "cli/flags/generate_flags.h"
#include "cli/screen/print_plan.h"
#include "commands.h"
#include "render_clip.h"

namespace t2v {
namespace {

constexpr const char* kDescription =
    R"(t2v: renders a video clip from a text prompt.

Examples
  t2v --prompt "a red ball moves to the right over green grass" -o clip.mp4
  t2v -p "an orange heart moves up on the sea" --seed 7 -o heart.mp4
  t2v -p "a white heart grows in the night sky" --quality lossless -o heart.mkv
  echo "a green box moves left in the desert" | t2v -p - -o box.mp4

Usage
  t2v [generate] --prompt TEXT -o FILE [flags]
)";

constexpr const char* kNotes = R"(
In long flags _ and - are the same. Of a flag given twice the last one holds,
and so of flags that say the same in two ways, such as --size and --width. A
switch that something else turns on is turned off by =false: --overwrite=false.
Values are never rounded in silence: what the model cannot make is an error.

A value comes from the first of these that has one: the flag; the variable of
its name (T2V_STEPS=20 is --steps 20, T2V_OVERWRITE=1 is --overwrite); the file
of --config; the preset of the model. t2v config shows all of them. A config is
a JSON object whose keys are long names of flags:
  {"num_inference_steps": 20, "lora": ["style.safetensors:0.5"]}
The settings that t2v inspect shows of a clip are one, and so is every file in
configs/. A key that no flag is named like is an error.

Standard output: the path of the clip (of .png files, the first), or with --json
  {"output": PATH, "seconds": X, "settings": {...}}
Standard error: everything else. The seed used is always shown; with --quiet, if
it was drawn.

--progress json writes one JSON object a line, each with "version" (1), "event"
and "elapsed" (seconds since the start); a reader skips events it does not know:
  start        "settings": what will be rendered
  load, encode_text, step, decode, write
               "done" of "total" (0: not counted), "detail" (a component, a
               path), "left" (seconds left of this phase, null if not known)
  log          "message": a warning or a detail
  done         "output": the path of the clip, which is whole now
  error        "code" (the exit code; 130 and the like if stopped), "message"
  summary      "ok", "seconds": {phase: seconds}; last, if the run began
)";

}  // namespace

Command generate_command() {
  const auto arguments = std::make_shared<GenerateArguments>();
  std::vector<FlagGroup> groups = generate_flags(*arguments);
  groups.push_back(dry_run_flag(arguments->dry_run));
  return {.name = "generate",
          .summary = "Renders a clip; the default",
          .description = kDescription,
          .notes = kNotes,
          .operands = {},
          .flags = groups,
          .stopped = "no clip was written",
          .run = [arguments](const Invocation& invocation, Progress& progress) {
            return render(invocation, *arguments, progress);
          }};
}

}  // namespace t2v
