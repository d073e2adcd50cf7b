#include <memory>

#include "cli/flags/generate_flags.h"
#include "cli/flags/prompt_file.h"
#include "cli/screen/print_plan.h"
#include "commands.h"
#include "t2v/plan.h"

namespace t2v {
namespace {

constexpr const char* kDescription = R"(t2v plan: what a clip would take, without loading a model.

Examples
  t2v plan --size 256x256 --frames 81
  t2v plan --model Wan2.1-T2V-14B-Diffusers --device cuda --max-vram 12
  t2v plan -p "a red ball" -o clip.mp4 --json
  t2v -p "a red ball" -o clip.mp4 --dry-run

Usage
  t2v plan [flags of generate]
  t2v generate|rerun|decode|batch ... --dry-run

)";

constexpr const char* kNotes = R"(
Reads headers alone. Memory is the most that a phase takes at once: of the host
what the process has in memory, mapped files included, which the system can take
back; of a GPU tensors and what CUDA keeps. With --max-vram the plan is that of
the cheapest setting that fits, and says what to add to the command for it:
first blocks that wait elsewhere, then --vae-tiling, then --dtype bfloat16. Exit
code 5 if nothing fits.

A plan needs neither prompt nor output, and a GPU that is not there is planned
for with --device cuda. --dry-run behind a command is that command up to where
it would load a model: it refuses what the command would refuse, with the same
exit code, and then tells the plan.

Time comes from what t2v bench measured on this device.

Standard output with --json: an object with "width", "height", "num_frames",
"num_inference_steps", "dtype", "device", "device_name", "latents" ([channels,
frames, height, width]), "tokens", "forwards", "phases" ([{"name", "tflop",
"host_bytes", "mapped_bytes", "gpu_bytes", "seconds"}]), "host_peak_bytes",
"host_available_bytes", "gpu_peak_bytes", "gpu_total_bytes", "blocks",
"resident_blocks", "waiting", "needed_flags", "refusal" (why a run would be
refused), "calibrated", "seconds", "files" ([{"component", "path", "bytes"}]),
"outputs", "output_bytes", "latents_bytes", "disk_free_bytes". Seconds are null
if not calibrated. With --skip-existing and --dry-run a clip that is there is
{"output": PATH, "there": true, "settings": {...}}.
)";

int run(const GenerateArguments& arguments, bool json) {
  GenerateRequest request = arguments.request;
  if (!arguments.prompt_file.empty()) request.prompt = read_prompt(arguments.prompt_file);
  if (request.prompt.empty()) request.prompt = "any";
  if (request.outputs.output.empty()) {
    request.outputs.output = "clip.mp4";
    request.outputs.overwrite = true;  // a name that nobody asked for may be taken
  }
  return show_plan(plan(request), json);
}

}  // namespace

Command plan_command() {
  const auto arguments = std::make_shared<GenerateArguments>();
  return {.name = "plan",
          .summary = "Tells what a clip would take: memory, time, files",
          .description = kDescription,
          .notes = kNotes,
          .operands = {},
          .flags = generate_flags(*arguments),
          .stopped = "nothing was changed",
          .run = [arguments](const Invocation& invocation, Progress&) {
            return run(*arguments, invocation.json);
          }};
}

}  // namespace t2v
