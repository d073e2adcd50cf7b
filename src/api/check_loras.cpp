#include <algorithm>

#include "api/checks.h"
#include "core/log.h"
#include "core/setting.h"
#include "engine/interface/sources.h"
#include "files/checkpoints/lora.h"
#include "t2v/error.h"

namespace t2v {
namespace {

/// One of the two settings, and the part that its LoRAs are for.
struct Slot {
  const char *name, *other_name;
  const PartKind& part;
};

/// Both experts have the same tensors: only the name of a LoRA tells that it is for the other one.
void check_expert(const std::filesystem::path& lora, const Slot& slot, const Family& family) {
  const std::string called = family.part_called(lora);
  if (called.empty() || called == slot.part.name) return;
  throw Error(ErrorCode::kInput,
              {.doing = setting(slot.name, lora.string()),
               .got = "a LoRA for the " + find_part(family, called)->role + ", by its name",
               .expected = "a LoRA for the " + slot.part.role,
               .advice = "name it with " + setting(slot.other_name)});
}

bool names(const std::vector<LoraChoice>& choices, const std::filesystem::path& file) {
  return std::any_of(choices.begin(), choices.end(),
                     [&](const LoraChoice& choice) { return choice.file == file; });
}

void check_slot(const std::vector<LoraChoice>& choices, const std::vector<LoraChoice>& others,
                const Checkpoint& checkpoint, const Slot& slot) {
  const bool two_experts = checkpoint.has_two_denoisers();
  const Family& family = *checkpoint.family;
  for (const LoraMerge& merge :
       open_loras(named_loras(choices), family, checkpoint.get(slot.part.name), !slot.part.twin.empty())) {
    const std::filesystem::path& file = merge.lora.file->path();
    if (two_experts) check_expert(file, slot, family);
    const std::string line = file.string() + ": " + merge.match.text();
    merge.match.ignored.empty() ? log_verbose(line) : log_warning(line);
    if (two_experts && merge.lora.for_both_experts && !names(others, file)) {
      log_warning(file.string() + " has keys for both experts: name it with " + setting(slot.other_name) +
                  " too");
    }
  }
}

}  // namespace

void check_loras(const ModelChoice& choice, const Checkpoint& checkpoint) {
  const Family& family = *checkpoint.family;
  if (!choice.loras.empty())
    check_slot(choice.loras, choice.loras_2, checkpoint, {"lora", "lora_2", denoiser_of(family)});
  if (choice.loras_2.empty()) return;
  if (!checkpoint.has_two_denoisers()) {
    throw Error(ErrorCode::kUsage, {.doing = setting("lora_2"),
                                    .got = "a model with one transformer",
                                    .expected = "one with two experts",
                                    .advice = "use `lora`"});
  }
  check_slot(choice.loras_2, choice.loras, checkpoint, {"lora_2", "lora", *second_denoiser_of(family)});
}

}  // namespace t2v
