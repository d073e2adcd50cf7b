#pragma once

#include <map>
#include <string>

#include "tensors/tensor.h"

namespace t2v {

/// Latents by kind, in float32. A sampling step works on all kinds of a clip together: video latents, and
/// audio latents in a model with sound. Dimension 2 of each kind is time. Every kind is called "latents" or
/// "..._latents".
using Latents = std::map<std::string, Tensor>;

/// The kind of the video's latents: [1, channels, frames, height, width].
inline constexpr const char* kVideoLatents = "latents";

/// The result of sampling as a pipeline hands it out: contiguous, on the CPU. Gives memory that sampling has
/// freed back to the system. Error (kNumbers) for NaN and infinite values.
Latents final_latents(const Latents& latents);

}  // namespace t2v
