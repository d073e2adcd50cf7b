#pragma once

#include "engine/pipelines/visual_inputs.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/checked_request.h"

namespace t2v {

/// Reads the pictures and clips that guide a clip. Error (kInput) for a file that cannot be read, (kUsage)
/// for a control video that is too short, or a mask of another length.
VisualInputs read_visual_inputs(const Conditions& conditions, const CheckedSize& size,
                                const Checkpoint& checkpoint);

}  // namespace t2v
