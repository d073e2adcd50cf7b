#pragma once

#include "files/checkpoints/checkpoint.h"
#include "t2v/generate.h"

namespace t2v {

/// Error (kUsage) for images, control and settings that the checkpoint has no use for, or that it needs and
/// the request lacks; (kInput) for files that are not there.
void check_conditions(const GenerateRequest& request, const Checkpoint& checkpoint);

}  // namespace t2v
