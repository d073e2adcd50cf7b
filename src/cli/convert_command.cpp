#include <memory>

#include <nlohmann/json.hpp>

#include "cli/screen/format.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "run_command.h"
#include "t2v/convert.h"
#include "t2v/error.h"
#include "t2v/text.h"

namespace t2v {
namespace {

constexpr const char* kDescription = R"(t2v convert: writes a checkpoint in another layout or other numbers.

Examples
  t2v convert wan2.1_14B-Q8_0.gguf -o transformer.safetensors --dtype bfloat16
  t2v convert Wan2.1-T2V-1.3B -o Wan2.1-T2V-1.3B-Diffusers
  t2v convert Wan2.1-T2V-1.3B-Diffusers -o comfy --layout comfy --dtype float16
  t2v convert Wan2.1-T2V-1.3B -o wan-fp8 --dtype fp8 --dry-run

Usage
  t2v convert IN -o OUT [flags]

)";

constexpr const char* kNotes = R"(
OUT is a folder, or for one component a .safetensors file; it must not exist,
and is whole or not there. Layout diffusers: a folder for each component,
files of at most 5 GB, config.json, model_index.json. Layout comfy: one file a
component, named as ComfyUI and the original code name tensors.

Numbers that keep their type keep their bits. What a transformer computes in
float32 whatever the rest is in stays float32, and so does a VAE that comes
with other components. Memory does not grow with the model.

Standard output: OUT, or with --json
  {"output": PATH, "files": [PATH...], "bytes": N}
With --dry-run, which writes nothing and refuses what would be refused: each
file, or with --json
  {"output": PATH, "files": [{"path", "tensors", "bytes"}], "bytes": N,
   "disk_free_bytes": N}
)";

struct ConvertArguments {
  ConvertRequest request;
  bool dry_run = false;
};

int show(const ConvertPlan& plan, const ConvertRequest& request, bool json) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  std::string text;
  for (const auto& [path, tensors, bytes] : plan.files) {
    files.push_back({{"path", path.string()}, {"tensors", tensors}, {"bytes", bytes}});
    text += formatted("%10s  %14s  ", in_bytes(bytes).c_str(),
                      tensors > 0 ? (std::to_string(tensors) + " tensors").c_str() : "") +
            escape_for_display(path.string()) + '\n';
  }
  if (json) {
    return print_json({{"output", request.output.string()},
                       {"files", files},
                       {"bytes", plan.bytes},
                       {"disk_free_bytes", plan.disk_free}});
  }
  text += formatted("%10s  in all", in_bytes(plan.bytes).c_str());
  if (plan.disk_free > 0) text += "; " + in_bytes(plan.disk_free) + " are free";
  return print(text + '\n');
}

int run(const Invocation& invocation, const ConvertArguments& arguments, Progress& progress) {
  const ConvertRequest& request = arguments.request;
  if (request.output.empty()) {
    throw Error(ErrorCode::kUsage, {.doing = "--output", .got = "nothing", .expected = "where to write to"});
  }
  if (arguments.dry_run) return show(plan_convert(request), request, invocation.json);
  const ConvertResult result = convert(request, make_run_control(progress));
  if (!invocation.json) return print(request.output.string() + '\n');
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const auto& file : result.files) files.push_back(file.string());
  return print_json({{"output", request.output.string()}, {"files", files}, {"bytes", result.bytes}});
}

}  // namespace

Command convert_command() {
  const auto arguments = std::make_shared<ConvertArguments>();
  return {.name = "convert",
          .summary = "Writes a checkpoint in another layout or other numbers",
          .description = kDescription,
          .notes = kNotes,
          .operands = {path_flag({"IN"}, "PATH", "A checkpoint or a part of one: folder or file",
                                 arguments->request.input)},
          .flags = {{"What to write",
                     {path_flag({"--output", "-o"}, "PATH", "A folder, or a .safetensors file",
                                arguments->request.output),
                      choice_flag({"--dtype"}, "The numbers", kConvertedDtypes, arguments->request.dtype,
                                  "as stored; quantised ones as float32"),
                      choice_flag({"--layout"}, "How files and tensors are named", kLayouts,
                                  arguments->request.layout, arguments->request.layout),
                      switch_flag({"--dry-run"}, "Tell what would be written; write nothing",
                                  arguments->dry_run, true)}}},
          .stopped = "nothing was written",
          .run = [arguments](const Invocation& invocation, Progress& progress) {
            return run(invocation, *arguments, progress);
          }};
}

}  // namespace t2v
