#include "api/check_loras.h"

#include <algorithm>

#include "core/log.h"
#include "files/checkpoints/loose_files.h"
#include "files/checkpoints/lora.h"
#include "t2v/error.h"

namespace t2v {
namespace {

/// One of the two flags, and what it is for.
struct Slot {
  const char *flag, *other_flag, *component;
  Expert other_expert;
  const char* other_expert_name;
};
constexpr Slot kFirst{"--lora", "--lora-2", "transformer", Expert::kLowNoise, "low"};
constexpr Slot kSecond{"--lora-2", "--lora", "transformer_2", Expert::kHighNoise, "high"};

/// Both experts have the same tensors: only what people call a LoRA tells that it is for the other one.
void check_expert(const std::filesystem::path& lora, const Slot& slot) {
  if (expert_called(lora) != slot.other_expert) return;
  throw Error(ErrorCode::kInput,
              {.doing = slot.flag + (" " + lora.string()),
               .got = std::string("a LoRA for the ") + slot.other_expert_name + "-noise expert, by its name",
               .expected = "high noise in --lora, low noise in --lora-2",
               .advice = std::string("name it with ") + slot.other_flag});
}

bool names(const std::vector<LoraChoice>& choices, const std::filesystem::path& file) {
  return std::any_of(choices.begin(), choices.end(),
                     [&](const LoraChoice& choice) { return choice.file == file; });
}

void check_slot(const std::vector<LoraChoice>& choices, const std::vector<LoraChoice>& others,
                const Checkpoint& checkpoint, const Slot& slot) {
  const bool two_experts = checkpoint.has("transformer_2");
  for (const LoraMerge& merge :
       open_loras(choices, checkpoint.get(slot.component), slot.component == kSecond.component)) {
    const std::filesystem::path& file = merge.lora.file->path();
    if (two_experts) check_expert(file, slot);
    const std::string line = file.string() + ": " + merge.match.text();
    merge.match.ignored.empty() ? log_verbose(line) : log_warning(line);
    if (two_experts && merge.lora.for_both_experts && !names(others, file)) {
      log_warning(file.string() + " has keys for both experts: name it with " + slot.other_flag + " too");
    }
  }
}

}  // namespace

void check_loras(const ModelChoice& choice, const Checkpoint& checkpoint) {
  if (!choice.loras.empty()) check_slot(choice.loras, choice.loras_2, checkpoint, kFirst);
  if (choice.loras_2.empty()) return;
  if (!checkpoint.has("transformer_2")) {
    throw Error(ErrorCode::kUsage, {.doing = "--lora-2",
                                    .got = "a model with one transformer",
                                    .expected = "one with two experts",
                                    .advice = "use --lora"});
  }
  check_slot(choice.loras_2, choice.loras, checkpoint, kSecond);
}

}  // namespace t2v
