#pragma once

#include "files/checkpoints/checkpoint.h"
#include "t2v/request.h"

namespace t2v {

/// Opens the LoRA files and logs how much of each applies: a warning where keys are ignored.
/// Error (kInput) for a bad one or one of another model, (kUsage) for one for an expert that the model does
/// not have.
void check_loras(const ModelChoice& choice, const Checkpoint& checkpoint);

}  // namespace t2v
