#pragma once

#include <cstdint>

#include "files/checkpoints/checkpoint.h"
#include "t2v/checked_request.h"

namespace t2v {

/// Decides how latents are sampled: what `asked` leaves empty comes from the preset, the sampler and its
/// shift after that from the checkpoint's scheduler_config.json, the seed from chance. Error (kUsage) for a
/// value out of range or a sampler that is not known.
CheckedSampling check_sampling(const Sampling& asked, const Config& preset, const Checkpoint& checkpoint);

/// The caching of so many steps, with the options that the preset has for the mode. Error (kUsage) for
/// options that are not the mode's.
StepCaching check_caching(const StepCaching& asked, const Config& preset, int64_t num_inference_steps);

}  // namespace t2v
