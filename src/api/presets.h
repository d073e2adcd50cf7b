#pragma once

#include <cstdint>
#include <string>

#include "files/checkpoints/checkpoint.h"
#include "t2v/request.h"

namespace t2v {

/// The preset in configs/ that matches the checkpoint.
///
/// A preset is a JSON file with the names of a request's fields as keys. Its "matches" says for which
/// checkpoints it is: "pipeline" is diffusers' class; the name of a part ("transformer") has keys and values
/// of its config.json (null: absent), or true or false for whether the part is there; a setting of
/// model_index.json
/// ("expand_timesteps") has its value; "names" are words of which one stands in a name of the model or of a
/// LoRA, because a distilled model has the tensors of any other. Of several presets that match, the one that
/// asks for the most counts, of these the last by name. configs/default.json asks for nothing.
Config find_preset(const Checkpoint& checkpoint, const ModelChoice& choice);

/// The value of a key that every preset has. Error (kInput) for a preset without it, which is damaged.
int64_t preset_integer(const Config& preset, const std::string& key);
double preset_number(const Config& preset, const std::string& key);

}  // namespace t2v
