#pragma once

#include "checkpoints/checkpoint.h"
#include "t2v/plan.h"

namespace t2v {

/// Whether all models of a planned clip but the text encoder can stay loaded in every one of its phases,
/// beside what the phase takes by itself. True where the system does not tell how much there is.
bool models_fit_together(const Checkpoint& checkpoint, const Plan& plan);

}  // namespace t2v
