#pragma once

#include "engine/pipelines/video_pipeline.h"

namespace t2v {

/// A clip that begins with an image, and may end with another, as diffusers' WanImageToVideoPipeline computes
/// it.
class WanImageToVideoPipeline final : public VideoPipeline {
 public:
  WanImageToVideoPipeline(RenderJob job, ModelStore& models, const RunControl& control)
      : VideoPipeline(std::move(job), models, control) {}

  Tensor sample() override;

 private:
  /// What the transformer's image branch sees: [images, rows, image_dim]; nothing for a model without one.
  std::optional<Tensor> encode_images() const;
  /// The image at the request's size: [1, 3, 1, height, width] in [-1, 1].
  Tensor fit(const Frames& image) const;
  /// The clip as far as it is known, grey where it is not, and before it which frames are known: latents [1,
  /// 4 + z_dim, frames, height, width].
  Tensor prepare_condition();

  /// Samples with the condition beside the latents.
  Tensor sample_beside_condition(const PromptEmbeds& prompt_embeds, const at::Generator& noise);
  /// Samples with the condition in place of the first latent frame, whose tokens have the timestep 0.
  Tensor sample_behind_first_frame(const PromptEmbeds& prompt_embeds, const at::Generator& noise);
  Tensor with_known(const Tensor& latents) const override;

  std::optional<Tensor> first_frame_;  ///< the latents of the image, where they are not sampled
};

}  // namespace t2v
