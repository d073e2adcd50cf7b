#pragma once

#include <cstdint>

#include "files/checkpoints/checkpoint.h"
#include "t2v/plan.h"
#include "tensors/tensor.h"

namespace t2v {

/// The bytes of all models of a clip but the text encoder, as they are on the device; of those that are
/// mapped files too.
uint64_t model_bytes(const Checkpoint& checkpoint, at::ScalarType dtype);

/// Whether all models of a planned clip but the text encoder can stay loaded in every one of its phases,
/// beside what the phase takes by itself. True where the system does not tell how much there is.
bool models_fit_together(const Checkpoint& checkpoint, const Plan& plan);

}  // namespace t2v
