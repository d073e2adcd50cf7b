#include <algorithm>
#include <memory>

#include <nlohmann/json.hpp>

#include "cli/flags/generate_flags.h"
#include "cli/flags/usage_error.h"
#include "cli/screen/clip_messages.h"
#include "cli/screen/print_plan.h"
#include "cli/screen/progress.h"
#include "commands.h"
#include "render_clip.h"
#include "t2v/decode.h"
#include "t2v/inspect.h"
#include "t2v/plan.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kDescription = R"(t2v decode: decodes latents into a clip, without sampling.

Examples
  t2v decode clip.mp4.latents.safetensors -o clip.mp4
  t2v decode latents.safetensors -o clip.mkv --quality lossless

Usage
  t2v decode LATENTS -o FILE [flags]

)";

constexpr const char* kNotes = R"(
LATENTS is a file that --save-latents wrote, or that a run kept because it could
not write its clip. The settings recorded in it count where no flag is given, so
that the clip is the one that the run would have made. Only the VAE of the model
is loaded. LATENTS stays.

Standard output and standard error are those of t2v generate.
)";

/// The flags of generate that count after sampling.
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
                                  .got = "a file without latents",
                                  .expected = "latents that a run kept or --save-latents wrote"});
}

bool gives(const std::vector<GivenFlag>& given, const std::string& name) {
  return std::any_of(given.begin(), given.end(), [&](const GivenFlag& flag) { return flag.name == name; });
}

int run(const Invocation& invocation, const fs::path& latents, bool dry_run, Progress& progress) {
  Json recorded = settings_of_latents(latents);
  // A model on the command line comes with its own VAE.
  if (gives(invocation.given, "model")) recorded.erase("vae");
  GenerateArguments arguments;
  const std::vector<FlagGroup> groups = generate_flags(arguments);
  apply_given(groups, merge(groups, known_to(groups, invocation.given),
                            given_from_json(flags_of_settings(recorded), "settings of " + latents.string())));
  const GenerateRequest& given = arguments.request;
  const DecodeRequest request{
      .model = given.model,
      .size = given.size,
      .reference_images = static_cast<int64_t>(given.conditions.reference_images.size()),
      .machine = given.machine,
      .encoding = given.encoding,
      .outputs = given.outputs};
  const fs::path& output = request.outputs.output;
  if (output.empty()) refuse("--output", "nothing", "where to write the clip");
  if (dry_run) {
    expect_one_output(invocation.json, output);
    return print_plan(plan_decode(latents, request), invocation.json);
  }
  make_and_print(invocation, output, progress,
                 [&] { return decode(latents, request, make_run_control(progress)); });
  return 0;
}

}  // namespace

Command decode_command() {
  struct DecodeArguments {
    fs::path latents;
    GenerateArguments given;  // the values on the command line
  };
  const auto arguments = std::make_shared<DecodeArguments>();
  return {.name = "decode",
          .summary = "Decodes latents into a clip",
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
