#pragma once

#include "engine/planning/clip_plan.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/plan.h"

namespace t2v {

/// The plan of a clip as requested. With max_vram, or on a GPU that is clearly too small, the plan of the
/// cheapest setting that fits. Error (kResource) if no setting fits max_vram.
Plan plan_clip(const Checkpoint& checkpoint, const CheckedRequest& request, const PlannedMachine& machine);

/// Error (kResource) for a clip that takes clearly more memory than the machine has, or more than max_vram.
void expect_memory(const Plan& plan);

}  // namespace t2v
