#pragma once

#include <utility>

#include "engine/pipelines/wan_parts.h"

namespace t2v {

/// A clip that begins with an image, and may end with another, as diffusers' WanImageToVideoPipeline computes
/// it. With expand_timesteps the image replaces the first latent frame; without, the transformer sees the
/// condition beside the latents.
class WanImageToVideoPipeline final : public VideoPipeline {
 public:
  WanImageToVideoPipeline(RenderJob job, ModelStore& models, const RunControl& control)
      : parts_(std::move(job), models, control) {}

  void sample(const OnLatents& on_latents) override;
  void decode(const Latents& run, const OnFrames& on_frames) override { parts_.decode(run, on_frames); }
  std::optional<int64_t> skipped_steps() const override { return parts_.skipped_steps(); }

 private:
  const CheckedSize& size() const { return parts_.job().request.size; }
  const VisualInputs& inputs() const { return parts_.job().inputs; }

  /// The input of the transformer's image branch: [images, rows, image_dim]; empty for a model without one.
  std::optional<Tensor> encode_image() const;
  /// The image at the request's size: [1, 3, 1, height, width] in [-1, 1].
  Tensor fit(const Frames& image) const;
  /// A mask of the known frames and the latents of the known clip, grey elsewhere: [1, 4 + z_dim, frames,
  /// height, width].
  Tensor prepare_condition();
  /// The latents of the image: [1, z_dim, 1, height, width].
  Tensor prepare_first_frame();
  /// Samples with the condition beside the latents.
  Latents denoise_beside_condition(const PromptEmbeds& prompt_embeds, const at::Generator& noise);
  /// Samples behind the first latent frame, whose tokens have the timestep 0.
  Latents denoise_behind_first_frame(const PromptEmbeds& prompt_embeds, const at::Generator& noise);

  WanParts parts_;
};

}  // namespace t2v
