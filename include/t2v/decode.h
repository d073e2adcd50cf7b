#pragma once

#include <cstdint>
#include <filesystem>

#include "t2v/generate.h"
#include "t2v/request.h"

namespace t2v {

/// A clip to decode from latents. inspect() returns the settings that are recorded with the latents, for the
/// caller to copy and change.
struct DecodeRequest {
  ModelChoice model = {};  ///< only the VAE is loaded; if it is a named part, nothing else is opened
  /// fps is required. Width, height and num_frames, where given, must be those of the latents.
  ClipSize size = {};
  int64_t reference_images = 0;  ///< number in the latents; their frames are left out
  Machine machine = {};          ///< dtype and max_vram do not count
  Encoding encoding = {};
  Outputs outputs = {};  ///< save_latents and preview do not count
};

/// Makes the clip of latents that a run kept or that save_latents wrote: the clip that the run would have
/// made. Nothing is sampled. The clip is published and its frames are handed out as by generate(); the
/// latents stay. Error (kInput) for a file that is damaged, not t2v's, or of another VAE, (kNumbers) for NaN
/// in it, and as generate(); Stopped.
GenerateResult decode(const std::filesystem::path& latents, const DecodeRequest& request,
                      const RunControl& control);

}  // namespace t2v
