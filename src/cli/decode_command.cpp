#include <algorithm>
#include <memory>

#include <nlohmann/json.hpp>

#include "cli/flags/generate_flags.h"
#include "cli/screen/print_plan.h"
#include "commands.h"
#include "render_clip.h"
#include "run_command.h"
#include "t2v/decode.h"
#include "t2v/error.h"
#include "t2v/inspect.h"
#include "t2v/plan.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kDescription = R"(t2v decode: makes the clip of sampled latents, without sampling.

Examples
  t2v decode clip.mp4.latents.safetensors -o clip.mp4
  t2v decode latents.safetensors -o clip.mkv --quality lossless

Usage
  t2v decode LATENTS -o FILE [flags]

)";

constexpr const char* kNotes = R"(
LATENTS is what a run kept that sampled but could not write its clip, or what
--save-latents wrote. The settings recorded in it hold where no flag is given:
the clip is the one that the run would have made. Of the model only the VAE is
loaded. LATENTS stays.

Standard output and standard error are as of t2v generate.
)";

/// Those of the flags that are about what happens after sampling.
std::vector<FlagGroup> decode_flags(GenerateArguments& arguments) {
  static const Names kNames = {"--output", "--overwrite",  "--no-metadata", "--quality", "--crf",
                               "--codec",  "--pix-fmt",    "--fps",         "--model",   "--vae",
                               "--device", "--vae-tiling", "--threads"};
  std::vector<FlagGroup> groups = generate_flags(arguments);
  for (FlagGroup& group : groups) {
    std::erase_if(group.flags, [](const Flag& flag) {
      return std::find(kNames.begin(), kNames.end(), flag.names[0]) == kNames.end();
    });
  }
  std::erase_if(groups, [](const FlagGroup& group) { return group.flags.empty(); });
  groups.push_back(dry_run_flag(arguments.dry_run));
  return groups;
}

Json settings_of_latents(const fs::path& latents) {
  const Inspection inspection = inspect(latents);
  if (inspection.kind == Inspection::Kind::kLatents) return Json::parse(inspection.settings);
  throw Error(ErrorCode::kInput, {.doing = "decoding " + latents.string(),
                                  .got = "something else than latents",
                                  .expected = "what a run kept or --save-latents wrote"});
}

bool gives(const std::vector<GivenFlag>& given, const std::string& name) {
  return std::any_of(given.begin(), given.end(), [&](const GivenFlag& flag) { return flag.name == name; });
}

int run(const Invocation& invocation, const fs::path& latents, bool dry_run, Progress& progress) {
  Json recorded = settings_of_latents(latents);
  // Another model is meant with its own VAE.
  if (gives(invocation.given, "model")) recorded.erase("vae");
  GenerateArguments arguments;
  const std::vector<FlagGroup> groups = generate_flags(arguments);
  apply_given(groups, merge(groups, known_to(groups, invocation.given),
                            given_from_json(flags_of(recorded), "settings of " + latents.string())));
  const GenerateRequest& asked = arguments.request;
  const DecodeRequest request{
      .model = asked.model,
      .size = asked.size,
      .reference_images = static_cast<int64_t>(asked.conditions.reference_images.size()),
      .machine = asked.machine,
      .encoding = asked.encoding,
      .outputs = asked.outputs};
  const fs::path& output = request.outputs.output;
  if (output.empty()) {
    throw Error(ErrorCode::kUsage,
                {.doing = "--output", .got = "nothing", .expected = "where to write the clip"});
  }
  if (dry_run) {
    expect_one_output(invocation, output);
    return show_plan(plan_decode(latents, request), invocation.json);
  }
  deliver(invocation, output, progress, [&] { return decode(latents, request, make_run_control(progress)); });
  return 0;
}

}  // namespace

Command decode_command() {
  struct DecodeArguments {
    fs::path latents;
    GenerateArguments given;  // what the command line says, checked as it is read
  };
  const auto arguments = std::make_shared<DecodeArguments>();
  return {.name = "decode",
          .summary = "Makes the clip of latents that a run kept",
          .description = kDescription,
          .notes = kNotes,
          .operands = {path_flag({"LATENTS"}, "", "The latents (safetensors)", arguments->latents)},
          .flags = decode_flags(arguments->given),
          .stopped = "no clip was written",
          .run = [arguments](const Invocation& invocation, Progress& progress) {
            return run(invocation, arguments->latents, arguments->given.dry_run, progress);
          }};
}

}  // namespace t2v
