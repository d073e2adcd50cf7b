#pragma once

#include "engine/pipelines/visual_inputs.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/generate.h"

namespace t2v {

/// Decodes what a checked request names. Error (kInput) for what cannot be read, (kUsage) for a control video
/// that is too short, or a mask of another length.
VisualInputs read_visual_inputs(const GenerateRequest& request, const Checkpoint& checkpoint);

}  // namespace t2v
