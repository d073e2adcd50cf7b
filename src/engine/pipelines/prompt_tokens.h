#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "files/checkpoints/checkpoint.h"

namespace t2v {

/// How many tokens the transformer was trained to see.
constexpr int64_t kMaxSequenceLength = 512;

/// The token ids of each prompt, without padding. Warns of what is too long to be used. Error (kInput) for a
/// tokenizer that is missing or bad.
std::vector<std::vector<int64_t>> prompt_tokens(const Checkpoint& checkpoint,
                                                const std::vector<std::string>& prompts);

}  // namespace t2v
