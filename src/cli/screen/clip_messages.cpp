#include "clip_messages.h"

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "format.h"
#include "streams.h"
#include "t2v/error.h"

namespace t2v {

using Json = nlohmann::ordered_json;

std::string clip_line(const GenerateResult& result, bool json, double seconds) {
  if (!json) return result.output.string() + '\n';
  return one_line({{"output", result.output.string()},
                   {"seconds", seconds},
                   {"settings", Json::parse(result.settings)}}) +
         '\n';
}

int print_existing_clip(const GenerateResult& clip, bool json) {
  if (!json) return print("there  " + clip.output.string() + '\n');
  return print_json(
      {{"output", clip.output.string()}, {"there", true}, {"settings", Json::parse(clip.settings)}});
}

bool lacks_latents(const Outputs& outputs) {
  std::error_code ignored;
  return !outputs.save_latents.empty() && !std::filesystem::exists(outputs.save_latents, ignored);
}

void warn_missing_latents(const Outputs& outputs, size_t more, Progress& progress) {
  const auto shown = [](const std::filesystem::path& path) { return escape_for_display(path.string()); };
  const std::string others = more == 0 ? "" : " (nor are those of " + count_of_clips(more) + " more)";
  progress.note("t2v: warning: --save-latents " + shown(outputs.save_latents) + " is not written" + others +
                ": " + shown(outputs.output) +
                " is there already, and nothing is sampled; move the clip away to have both made");
}

void expect_one_output(bool json, const std::filesystem::path& output) {
  if (!json || output != "-") return;
  throw Error(ErrorCode::kUsage, {.doing = "--json",
                                  .got = "--output -",
                                  .expected = "one of them: both go to standard output",
                                  .advice = "use --progress json"});
}

}  // namespace t2v
