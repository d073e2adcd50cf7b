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
In long flags, _ and - are the same. If a flag is given twice, the last one
counts; so it does for flags that give the same value in two forms, such as
--size and --width. =false turns off a switch that a variable or a file turned
on: --overwrite=false. Values are never rounded silently: a size or length that
the model cannot make is an error.

A value comes from the first of these that has it: the flag; the variable with
its name (T2V_STEPS=20 for --steps 20, T2V_OVERWRITE=1 for --overwrite); the
file of --config; the preset of the model. t2v config shows all values and where
they come from. A config is a JSON object whose keys are long names of flags:
  {"num_inference_steps": 20, "lora": ["style.safetensors:0.5"]}
The settings that t2v inspect shows for a clip are a config, and so is every
file in configs/. An unknown key is an error.

Standard output: the path of the clip (the first one of .png files), or with
--json
  {"output": PATH, "seconds": X, "settings": {...}}
Standard error: everything else. The seed is always shown; with --quiet only if
it is random.

--progress json writes one JSON object per line, each with "version" (1),
"event" and "elapsed" (seconds since the start). Readers must skip events that
they do not know:
  start        "settings": the settings of the clip
  load, encode_text, step, decode, write
               "done" of "total" (0: not counted), "detail" (a component or a
               path), "left" (seconds left of this phase; null: not known)
  log          "message": a warning or a detail
  done         "output": the path of the finished clip
  error        "code" (the exit code; 130 and the like for signals), "message"
  summary      "ok", "seconds": {phase: seconds}; the last line of a run
)";

}  // namespace

Command generate_command() {
  const auto arguments = std::make_shared<GenerateArguments>();
  std::vector<FlagGroup> groups = generate_flags(*arguments);
  groups.push_back(dry_run_flag(arguments->dry_run));
  return {.name = "generate",
          .summary = "Renders a clip; the default command",
          .description = kDescription,
          .notes = kNotes,
          .flags = groups,
          .stopped = "no clip was written",
          .run = [arguments](const Invocation& invocation, Progress& progress) {
            return render_clip(invocation, *arguments, progress);
          }};
}

}  // namespace t2v
