#pragma once

#include <cstdint>
#include <string>

#include "files/checkpoints/checkpoint.h"
#include "t2v/request.h"

namespace t2v {

/// The preset in configs/ that matches what the checkpoint is.
///
/// A preset is a JSON file whose keys are called as the fields of a request. "matches" tells which
/// checkpoints it is for: "pipeline" is diffusers' class, "transformer" holds keys and values of the
/// transformer's config.json (null: absent), "transformer_2" and "expand_timesteps" are true or false, and
/// "names" are words of which one is part of a name of the model or of a LoRA, because the tensors of a
/// distilled model are those of any other. Of several that match the one that asks for most counts, and of
/// these the last by name; configs/default.json asks for nothing.
Config find_preset(const Checkpoint& checkpoint, const ModelChoice& choice);

/// The value of a key that every preset has. Error (kInput) for a preset without it, which is damaged.
int64_t preset_integer(const Config& preset, const std::string& key);
double preset_number(const Config& preset, const std::string& key);

}  // namespace t2v
