#pragma once

#include "files/checkpoints/checkpoint.h"
#include "t2v/generate.h"

namespace t2v {

/// The preset in configs/ that matches what the checkpoint is.
///
/// A preset is a JSON file whose keys are named as in GenerateRequest. "matches" tells which checkpoints it
/// is for: "pipeline" is diffusers' class, "transformer" holds keys and values of the transformer's
/// config.json (null: absent), "transformer_2" and "expand_timesteps" are true or false, and "names" are
/// words of which one is part of a name of the model or of a LoRA, because the tensors of a distilled model
/// are those of any other. Of several that match the one that asks for most counts, and
/// of these the last by name; configs/default.json asks
/// for nothing.
Config find_preset(const Checkpoint& checkpoint, const GenerateRequest& request);

/// Fills every empty optional of `request` (but the seed) from the preset, and the sampler and its shift,
/// where the preset leaves them out, from the checkpoint's own scheduler_config.json.
void apply_preset(const Config& preset, const Checkpoint& checkpoint, GenerateRequest& request);

}  // namespace t2v
