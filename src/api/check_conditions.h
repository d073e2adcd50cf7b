#pragma once

#include <cstdint>

#include "files/checkpoints/checkpoint.h"
#include "t2v/checked_request.h"

namespace t2v {

/// Error (kUsage) for images and control that the checkpoint has no use for, or that it needs and the request
/// lacks; (kInput) for files that are not there.
void check_conditions(const Conditions& conditions, int64_t num_frames, const Checkpoint& checkpoint);

/// Error (kUsage) for settings of a second expert that the checkpoint does not have, or without the boundary
/// that it needs.
void check_experts(const CheckedSampling& sampling, const Checkpoint& checkpoint);

}  // namespace t2v
