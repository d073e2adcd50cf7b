#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "autoencoders/autoencoder_kl_wan.h"
#include "checkpoints/checkpoint.h"
#include "core/frames.h"
#include "core/tensor.h"
#include "t2v/generate.h"
#include "transformers/transformer_wan.h"

namespace t2v {

/// Wan2.1 text-to-video, as diffusers' WanPipeline computes it. Each component is loaded when its phase
/// begins and released when it ends: the largest of them, not their sum, decides how much memory a clip
/// needs.
class WanPipeline {
 public:
  /// `placement` is of the text encoder and the transformer. The
  /// VAE computes in float32 on the same device.
  WanPipeline(Checkpoint checkpoint, Placement placement, const RunControl& control);

  /// The final latents [1, channels, frames, height, width], float32 on the CPU, of a request that has passed
  /// check(). The VAE is loaded before the first step, so that a bad one is told before the work. Error
  /// (kInput, kResource, kNumbers); Stopped.
  Tensor sample(const GenerateRequest& request);

  /// Latents as sample() gives them to frames, handed out in order as they are decoded; memory does not grow
  /// with their number. Error (kInput, kResource, kNumbers); Stopped.
  void decode(const Tensor& latents, const std::function<void(const Frames&)>& on_frames);

 private:
  /// What the transformer attends to: [1, 512, text_dim], rows behind the last token are zero.
  struct PromptEmbeds {
    Tensor prompt;
    std::optional<Tensor> negative_prompt;  ///< empty without guidance
  };

  PromptEmbeds encode_prompt(const GenerateRequest& request) const;
  Weights open_weights(const std::string& component, LoadOptions options) const;
  WanTransformer3DConfig transformer_config() const;
  WanTransformer3DModel load_transformer() const;
  void load_vae();
  Tensor prepare_latents(const GenerateRequest& request) const;
  Tensor denoise(Tensor latents, const PromptEmbeds& prompt_embeds, const GenerateRequest& request) const;

  void emit(Event::Kind kind, int64_t done, int64_t total, const std::string& detail = "") const;
  void stop_if_asked() const;

  Checkpoint checkpoint_;
  Placement placement_;
  const RunControl& control_;
  std::unique_ptr<AutoencoderKLWan> vae_;
};

}  // namespace t2v
