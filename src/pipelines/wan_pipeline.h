#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "autoencoders/autoencoder_kl_wan.h"
#include "core/frames.h"
#include "core/tensor.h"
#include "t2v/generate.h"

namespace t2v {

/// Wan2.1 text-to-video, as the reference's WanPipeline computes it. Each component is loaded when its phase begins and
/// released when it ends, so that the largest of them, not their sum, decides how much memory a clip needs.
class WanPipeline {
 public:
  /// `model` is a folder in the diffusers layout; `placement` is of the text encoder and the transformer (the VAE is float32).
  WanPipeline(std::filesystem::path model, Placement placement);

  /// Text to final latents [1, channels, frames, height, width] in float32 on the CPU, not yet de-normalised. The VAE is
  /// loaded before the sampling starts, so that a bad one is told before the work. `request` has passed check().
  /// Error (kInput, kResource, kNumbers); Stopped.
  Tensor sample(const GenerateRequest& request, const RunControl& control);

  /// Latents to frames, handed out chunk by chunk in order; memory does not grow with their number. Error; Stopped.
  void decode(const Tensor& latents, const RunControl& control, const std::function<void(const Frames&)>& on_frames);

 private:
  /// Rows beyond the prompt's real tokens are zeros that the transformer attends to; `length` says how many are real.
  struct PromptEmbeds {
    Tensor hidden_states;  ///< [1, length, text_dim]
  };
  struct PromptPair {
    PromptEmbeds prompt;
    std::optional<PromptEmbeds> negative_prompt;  ///< empty without guidance
  };

  PromptPair encode_prompts(const GenerateRequest& request, const RunControl& control) const;
  Tensor prepare_latents(const GenerateRequest& request, int64_t channels) const;
  Tensor denoise(Tensor latents, const PromptPair& prompts, const GenerateRequest& request,
                 const RunControl& control) const;
  void load_vae(const RunControl& control);

  std::filesystem::path model_;
  Placement placement_;
  std::unique_ptr<AutoencoderKLWan> vae_;
};

}  // namespace t2v
