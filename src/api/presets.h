#pragma once

#include <cstdint>
#include <string>

#include "files/checkpoints/checkpoint.h"
#include "t2v/request.h"

namespace t2v {

/// The preset in configs/ for a checkpoint.
///
/// A preset is a JSON file whose keys are called as the fields of a request. Its "matches" says which
/// checkpoints it is for: "pipeline" is diffusers' class; the name of a part ("transformer") holds keys and
/// values of its config.json (null: absent), or is true or false for a part that is there or absent; a
/// setting of model_index.json ("expand_timesteps") has its value; "names" lists words, one of which is in
/// the name of the model or of a LoRA, because the tensors of a distilled model look like those of any other.
/// If several presets match, the one with the most conditions counts, then the last by name.
/// configs/default.json has no conditions.
Config find_preset(const Checkpoint& checkpoint, const ModelChoice& choice);

/// The value of a key that every preset has. Error (kInput) for a preset without it, which is damaged.
int64_t preset_integer(const Config& preset, const std::string& key);
double preset_number(const Config& preset, const std::string& key);

}  // namespace t2v
