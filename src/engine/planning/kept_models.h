#pragma once

#include <cstdint>

#include "engine/pipelines/cost_model.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/plan.h"

namespace t2v {

/// Bytes on the device of all models of a clip except the text encoder, with mapped files.
uint64_t model_bytes(const CostModel& costs, const Checkpoint& checkpoint);

/// Whether all models of a planned clip but the text encoder can stay loaded in each of its phases, beside
/// the memory of the phase itself. True if the size of the memory is unknown.
bool models_fit_together(const CostModel& costs, const Checkpoint& checkpoint, const Plan& plan);

}  // namespace t2v
