#pragma once

#include "files/checkpoints/checkpoint.h"
#include "t2v/request.h"

namespace t2v {

/// Opens the LoRA files and logs how many of the keys of each apply; ignored keys are a warning. Error
/// (kInput) for a damaged file or one of another model, (kUsage) for a file for an expert that the model
/// lacks.
void check_loras(const ModelChoice& choice, const Checkpoint& checkpoint);

}  // namespace t2v
