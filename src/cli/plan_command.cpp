#include <memory>

#include "cli/flags/generate_flags.h"
#include "cli/flags/text_file.h"
#include "cli/screen/print_plan.h"
#include "commands.h"
#include "t2v/plan.h"

namespace t2v {
namespace {

constexpr const char* kDescription = R"(t2v plan: memory, time and files of a clip, without loading the model.

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
Only headers of files are read. Memory is the peak of each phase: on the host,
the resident memory of the process, including mapped files, which the system can
take back; on a GPU, the tensors and the memory that CUDA itself uses. With
--max-vram, the plan uses the cheapest settings that fit and names the flags to
add: first offloaded blocks, then --vae-tiling, then --dtype bfloat16. Exit code
5 if nothing fits.

A plan needs neither a prompt nor an output. --device cuda plans for a GPU that
this machine does not have. A command with --dry-run makes the same checks as
without it, with the same errors and exit codes, up to the point where it would
load a model; then it prints the plan.

Times come from what t2v bench measured on this device.

Standard output with --json: an object with "width", "height", "num_frames",
"num_inference_steps", "dtype", "device", "device_name", "latents" ([channels,
frames, height, width]), "tokens", "forwards", "phases" ([{"name", "tflop",
"host_bytes", "mapped_bytes", "gpu_bytes", "seconds"}]), "host_peak_bytes",
"host_available_bytes", "gpu_peak_bytes", "gpu_total_bytes", "blocks",
"resident_blocks", "waiting", "needed_flags", "refusal" (the error that a run
would end with), "calibrated", "seconds", "files" ([{"component", "path",
"bytes"}]), "outputs", "output_bytes", "latents_bytes", "disk_free_bytes".
Seconds are null if nothing was measured. With --skip-existing and --dry-run,
the object of an existing clip is
  {"output": PATH, "there": true, "settings": {...}}
)";

int run(const GenerateArguments& arguments, bool json) {
  GenerateRequest request = arguments.request;
  if (!arguments.prompt_file.empty()) request.prompt = read_prompt(arguments.prompt_file);
  if (request.prompt.empty()) request.prompt = "any";
  if (request.outputs.output.empty()) {
    request.outputs.output = "clip.mp4";
    request.outputs.overwrite = true;  // the user did not choose this name, so it may exist
  }
  return print_plan(plan(request), json);
}

}  // namespace

Command plan_command() {
  const auto arguments = std::make_shared<GenerateArguments>();
  return {.name = "plan",
          .summary = "Prints the memory, time and files that a clip needs",
          .description = kDescription,
          .notes = kNotes,
          .flags = generate_flags(*arguments),
          .run = [arguments](const Invocation& invocation, Progress&) {
            return run(*arguments, invocation.json);
          }};
}

}  // namespace t2v
