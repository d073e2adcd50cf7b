#include <memory>

#include <nlohmann/json.hpp>

#include "commands.h"
#include "run_command.h"
#include "streams.h"
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
)";

int run(const Invocation& invocation, const ConvertRequest& request, Progress& progress) {
  if (request.output.empty()) {
    throw Error(ErrorCode::kUsage, {.doing = "--output", .got = "nothing", .expected = "where to write to"});
  }
  const ConvertResult result = convert(request, make_run_control(progress));
  if (!invocation.json) return print(request.output.string() + '\n');
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const auto& file : result.files) files.push_back(file.string());
  return print_json({{"output", request.output.string()}, {"files", files}, {"bytes", result.bytes}});
}

}  // namespace

Command convert_command() {
  const auto request = std::make_shared<ConvertRequest>();
  return {
      .name = "convert",
      .summary = "Writes a checkpoint in another layout or other numbers",
      .description = kDescription,
      .notes = kNotes,
      .operands = {path_flag({"IN"}, "PATH", "A checkpoint or a part of one: folder or file",
                             request->input)},
      .flags = {{"What to write",
                 {path_flag({"--output", "-o"}, "PATH", "A folder, or a .safetensors file", request->output),
                  choice_flag({"--dtype"}, "The numbers", kConvertedDtypes, request->dtype,
                              "as stored; quantised ones as float32"),
                  choice_flag({"--layout"}, "How files and tensors are named", kLayouts, request->layout,
                              request->layout)}}},
      .stopped = "nothing was written",
      .run = [request](const Invocation& invocation, Progress& progress) {
        return run(invocation, *request, progress);
      }};
}

}  // namespace t2v
