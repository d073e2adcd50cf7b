#pragma once

#include <filesystem>

#include "t2v/generate.h"

namespace t2v {

/// Makes of latents that a run kept, or that save_latents wrote, the clip that the run would have made.
/// Nothing is sampled, and of the model only the VAE is loaded. `request` is what the latents have recorded
/// (inspect() gives it), with what is to be otherwise: where to compute, another VAE, how the clip is encoded
/// and what it is called. What only sampling needs may be empty. The clip is published as by generate(); the
/// latents stay. Error (kInput) for a file that is damaged, not t2v's, or of another VAE, (kNumbers) for NaN
/// in it, and as generate(); Stopped.
GenerateResult decode(const std::filesystem::path& latents, const GenerateRequest& request,
                      const RunControl& control);

}  // namespace t2v
