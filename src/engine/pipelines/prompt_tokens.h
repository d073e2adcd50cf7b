#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "files/checkpoints/checkpoint.h"

namespace t2v {

/// The token ids of each prompt for a text encoder, without padding. Warns of a prompt that is longer than
/// `max_length` tokens, and leaves the rest of the prompt out. Error (kInput) for a tokenizer that is missing
/// or damaged.
std::vector<std::vector<int64_t>> prompt_tokens(const Checkpoint& checkpoint, const std::string& text_encoder,
                                                const std::vector<std::string>& prompts, int64_t max_length);

}  // namespace t2v
