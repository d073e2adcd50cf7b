#pragma once

#include <utility>

#include "engine/pipelines/wan_parts.h"

namespace t2v {

/// Text to video, as diffusers' WanPipeline computes it.
class WanPipeline final : public VideoPipeline {
 public:
  WanPipeline(RenderJob job, ModelStore& models, const RunControl& control)
      : parts_(std::move(job), models, control) {}

  void sample(const OnLatents& on_latents) override;
  void decode(const Latents& run, const OnFrames& on_frames) override { parts_.decode(run, on_frames); }
  std::optional<int64_t> skipped_steps() const override { return parts_.skipped_steps(); }

 private:
  WanParts parts_;
};

/// The pipeline of the checkpoint's class. For a checkpoint that renders with and without an image, the
/// request decides.
std::unique_ptr<VideoPipeline> make_wan_pipeline(RenderJob job, ModelStore& models,
                                                 const RunControl& control);

}  // namespace t2v
