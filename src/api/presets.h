#pragma once

#include "checkpoints/checkpoint.h"
#include "t2v/generate.h"

namespace t2v {

/// Fills every empty optional of `request` (but the seed) from the preset in configs/ that matches what the
/// checkpoint is, and the sampler and its shift from the checkpoint's own scheduler_config.json.
///
/// A preset is a JSON file: "matches" holds keys and values of transformer/config.json that identify the
/// checkpoint, the other keys are named as in GenerateRequest. configs/default.json serves a checkpoint that
/// no other file matches.
void apply_preset(const Checkpoint& checkpoint, GenerateRequest& request);

}  // namespace t2v
