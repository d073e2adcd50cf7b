#include <memory>

#include <nlohmann/json.hpp>

#include "cli/flags/generate_flags.h"
#include "cli/screen/print_plan.h"
#include "commands.h"
#include "core/text.h"
#include "render_clip.h"
#include "t2v/error.h"
#include "t2v/inspect.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kDescription =
    R"(t2v rerun: renders a clip again, with the settings that are recorded in it.

Examples
  t2v rerun clip.mp4
  t2v rerun clip.mp4 --seed 5 -o other.mp4
  t2v rerun clip.mp4 --steps 20 --quality high

Usage
  t2v rerun CLIP [flags of generate]

)";

constexpr const char* kNotes = R"(
Without --output, the new clip is written beside the old one, as clip-rerun.mp4
or with the next free number. Flags replace recorded settings; =false turns a
recorded switch off (--vae-tiling=false). T2V_ variables and configs are not
read, so the result does not depend on them.

The same machine, version and model give the same frames. A warning says if the
version, the device (GPU, or processor and number of threads) or the weights
differ from the recorded ones.

Standard output and standard error are those of t2v generate.
)";

struct RerunArguments {
  fs::path clip;
  GenerateArguments given;  ///< the values on the command line
};

Json settings_of_clip(const fs::path& clip) {
  const Inspection inspection = inspect(clip);
  const bool made_by_us =
      inspection.kind == Inspection::Kind::kClip || inspection.kind == Inspection::Kind::kLatents;
  if (!made_by_us) {
    throw Error(ErrorCode::kInput, {.doing = "rerun " + clip.string(),
                                    .got = "a model",
                                    .expected = "a clip that t2v made, with the settings recorded in it"});
  }
  return Json::parse(inspection.settings);
}

/// The first free name beside the clip: "clip-rerun.mp4", "clip-rerun-2.mp4", ...
fs::path free_name(const fs::path& clip) {
  const fs::path settings = recorded_in(clip);
  const fs::path folder = settings.parent_path();
  std::error_code ignored;
  std::string extension = clip.extension().string();
  if (extension == ".json") extension = ".png";
  if (extension == ".safetensors") extension = ".mp4";
  for (int number = 1;; ++number) {
    const std::string stem =
        settings.stem().string() + "-rerun" + (number > 1 ? "-" + std::to_string(number) : "");
    const auto taken = [&](const std::string& ending) {
      return fs::exists(folder / (stem + ending), ignored);
    };
    if (!taken(extension) && !taken("-0001" + extension) && !taken(".json"))
      return folder / (stem + extension);
  }
}

/// Warns that the frames may differ if `now` is not the recorded value. Returns whether it is another.
bool warn(const Invocation& invocation, Progress& progress, const std::string& what, const Json& recorded,
          const std::string& now) {
  const std::string then = recorded.is_string() ? recorded.get<std::string>() : "";
  if (then.empty() || now.empty() || then == now) return false;
  if (invocation.log_level != LogLevel::kQuiet) {
    progress.log("t2v: warning: the frames may differ from the recorded clip's: " + what + " was " + then +
                 " and is " + now);
  }
  return true;
}

/// The device with its number: "cuda" is "cuda:0".
std::string numbered(const std::string& device) { return device == "cuda" ? "cuda:0" : device; }

int rerun(const Invocation& invocation, const fs::path& clip, bool dry_run, Progress& progress) {
  // Reading them loads the engine, which takes a moment.
  progress.note("t2v: reading the settings of " + escape_for_display(clip.string()));
  const Json recorded = settings_of_clip(clip);
  GenerateArguments arguments;
  const std::vector<FlagGroup> groups = generate_flags(arguments);
  apply_given(groups, merge(groups, known_to(groups, invocation.given),
                            given_from_json(flags_of_settings(recorded), "settings of " + clip.string())));
  if (arguments.request.outputs.output.empty()) arguments.request.outputs.output = free_name(clip);
  arguments.dry_run = dry_run;

  const auto expect = [&](const std::string& key, const std::string& what, const std::string& now) {
    return warn(invocation, progress, what, recorded.value(key, Json()), now);
  };
  const std::string device = numbered(arguments.request.machine.device);
  expect("t2v", "the version of t2v", version());
  bool elsewhere = expect("device", "the device", device == "auto" ? "" : device);
  return render_clip(invocation, arguments, progress, [&](const GenerateResult& result) {
    const Json now = Json::parse(result.settings);
    if (device == "auto") elsewhere = expect("device", "the device", now.value("device", ""));
    if (!elsewhere) expect("device_name", "the device", now.value("device_name", ""));
    expect("model_sha256", "the sha256 of the model", now.value("model_sha256", ""));
  });
}

}  // namespace

Command rerun_command() {
  const auto arguments = std::make_shared<RerunArguments>();
  std::vector<FlagGroup> groups = generate_flags(arguments->given);
  // The settings of the clip take the place of a config.
  std::erase_if(groups, [](const FlagGroup& group) { return find_flag({group}, "--config") != nullptr; });
  groups.push_back(dry_run_flag(arguments->given.dry_run));
  return {
      .name = "rerun",
      .summary = "Renders a clip again, with other flags if wanted",
      .description = kDescription,
      .notes = kNotes,
      .operands = {path_flag({"CLIP"}, "", "The clip; of numbered pictures, one of them", arguments->clip)},
      .flags = groups,
      .stopped = "no clip was written",
      .run = [arguments](const Invocation& invocation, Progress& progress) {
        return rerun(invocation, arguments->clip, arguments->given.dry_run, progress);
      }};
}

}  // namespace t2v
