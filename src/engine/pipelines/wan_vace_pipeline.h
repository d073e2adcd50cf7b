#pragma once

#include "engine/pipelines/video_pipeline.h"
#include "media/images/image_resize.h"

namespace t2v {

/// A clip controlled by another, by a mask and by reference images, as diffusers' WanVACEPipeline computes
/// it. Latents of the reference images come before those of the clip.
class WanVACEPipeline final : public VideoPipeline {
 public:
  WanVACEPipeline(RenderJob job, ModelStore& models, const RunControl& control)
      : VideoPipeline(std::move(job), models, control) {}

  Tensor sample() override;

 private:
  NoisePredictor load_expert(const std::string& component, const PromptEmbeds& prompt_embeds,
                             const Tensor& control) const;
  /// Latents of what stays and of what is made anew, and the mask: [1, vace_in_channels, frames, height,
  /// width].
  Tensor prepare_control();
  /// The latents of the control video where it is made anew, or where it stays, and of grey elsewhere.
  Tensor encode_masked(bool made_anew);
  /// The mask with a channel for every pixel of a latent: [1, 64, frames, height, width].
  Tensor prepare_mask() const;

  // Frames `first` to `first + count` - 1 of the control, [1, 3, count, height, width]: grey without a video,
  // and all of it to be made anew, which is 1, without a mask.
  Tensor control_video(int64_t first, int64_t count) const;
  Tensor control_mask(int64_t first, int64_t count) const;

  int64_t num_frames() const;  ///< of the control video, or of the clip if there is none
  ImageSize size() const;      ///< likewise
};

}  // namespace t2v
