#include "api/check_loras.h"

#include "checkpoints/lora.h"
#include "core/log.h"
#include "t2v/error.h"

namespace t2v {
namespace {

void check_expert(const std::vector<LoraChoice>& choices, const Component& transformer, bool second) {
  for (const LoraMerge& merge : open_loras(choices, transformer, second)) {
    const std::string line = merge.lora.file->path().string() + ": " + merge.match.text();
    merge.match.ignored.empty() ? log_verbose(line) : log_warning(line);
  }
}

}  // namespace

void check_loras(const GenerateRequest& request, const Checkpoint& checkpoint) {
  if (!request.loras.empty()) check_expert(request.loras, checkpoint.get("transformer"), false);
  if (request.loras_2.empty()) return;
  if (!checkpoint.has("transformer_2")) {
    throw Error(ErrorCode::kUsage, {.doing = "--lora-2",
                                    .got = "a model with one transformer",
                                    .expected = "one with two experts",
                                    .advice = "use --lora"});
  }
  check_expert(request.loras_2, checkpoint.get("transformer_2"), true);
}

}  // namespace t2v
