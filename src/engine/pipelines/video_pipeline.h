#pragma once

#include <functional>
#include <optional>

#include "engine/pipelines/latents.h"
#include "media/images/frames.h"

namespace t2v {

/// Renders one clip. Each model is loaded when its phase begins and, unless a coming clip uses it, released
/// when the phase ends: the largest model, not the sum of all, decides how much memory a clip needs.
class VideoPipeline {
 public:
  using OnLatents = std::function<void(const Latents& run)>;
  using OnFrames = std::function<void(const Frames& frames)>;

  virtual ~VideoPipeline() = default;

  /// Samples the clip. `on_latents` gets its final latents in runs of frames, in order; a model that samples
  /// all frames together hands out one run. The VAE is loaded before the first step, so that an unusable one
  /// is reported before the work. Error (kInput, kResource, kNumbers); Stopped.
  virtual void sample(const OnLatents& on_latents) = 0;

  /// Decodes the next run of latents. `on_frames` gets the frames in order as they are decoded; memory does
  /// not grow with their number. Latents of reference images, which come before the clip's, are left out.
  /// Error (kInput, kResource, kNumbers); Stopped.
  virtual void decode(const Latents& run, const OnFrames& on_frames) = 0;

  /// The steps that sample() did not compute; empty without step caching.
  virtual std::optional<int64_t> skipped_steps() const = 0;
};

/// The latents of all runs of sample() together.
Latents sample_all(VideoPipeline& pipeline);

}  // namespace t2v
