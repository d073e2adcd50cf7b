#pragma once

#include <utility>

#include "engine/pipelines/wan_parts.h"
#include "media/images/image_resize.h"

namespace t2v {

/// A clip controlled by another, by a mask and by reference images, as diffusers' WanVACEPipeline computes
/// it. Latents of the reference images come before the latents of the clip.
class WanVACEPipeline final : public VideoPipeline {
 public:
  WanVACEPipeline(RenderJob job, ModelStore& models, const RunControl& control)
      : parts_(std::move(job), models, control) {}

  void sample(const OnLatents& on_latents) override;
  void decode(const Latents& run, const OnFrames& on_frames) override { parts_.decode(run, on_frames); }
  std::optional<int64_t> skipped_steps() const override { return parts_.skipped_steps(); }

 private:
  const VisualInputs& inputs() const { return parts_.job().inputs; }
  int64_t num_frames() const;  ///< of the control video; without one, of the clip
  ImageSize size() const;      ///< likewise

  WanNoisePredictor load_transformer(const std::string& component, const PromptEmbeds& prompt_embeds,
                                     const Tensor& control) const;
  /// Latents of the kept part of the video and of the new part, and the mask: [1, vace_in_channels, frames,
  /// height, width].
  Tensor prepare_control();
  /// The latents of one of the two parts, with grey in place of the other.
  Tensor encode_masked(bool made_anew);
  /// The mask with a channel for every pixel of a latent: [1, 64, frames, height, width].
  Tensor prepare_mask() const;

  // Frames `first` to `first + count` - 1, [1, 3, count, height, width]. Without a video the frames are grey;
  // without a mask all pixels are 1, made anew.
  Tensor control_video(int64_t first, int64_t count) const;
  Tensor control_mask(int64_t first, int64_t count) const;

  WanParts parts_;
};

}  // namespace t2v
