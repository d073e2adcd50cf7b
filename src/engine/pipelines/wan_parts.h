#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/pipelines/component_loader.h"
#include "engine/pipelines/denoising_loop.h"
#include "engine/pipelines/latent_codec.h"
#include "engine/pipelines/prompt_encoder.h"
#include "engine/pipelines/video_pipeline.h"
#include "families/wan/autoencoder_kl_wan_config.h"
#include "families/wan/transformer_wan_config.h"

namespace t2v {

/// The transformer, and the expert for low noise of a model with two experts.
inline constexpr const char* kTransformer = "transformer";
inline constexpr const char* kLowNoiseTransformer = "transformer_2";

/// Tokens of a prompt that the transformers were trained to see.
inline constexpr int64_t kWanMaxSequenceLength = 512;

/// A loaded transformer: latents and timestep -> noise_pred. Each prompt has one guidance pass.
using WanNoisePredictor =
    std::function<Tensor(const Tensor& latents, const Tensor& timestep, const GuidancePass& pass)>;

/// Latents to denoise, and the transformers.
struct WanDenoising {
  Tensor latents;       ///< noise, float32 on the device
  at::Generator noise;  ///< for samplers that add noise
  size_t prompts;       ///< 1, or 2 with guidance
  std::function<WanNoisePredictor(const std::string& component)> load;
  /// Replaces sampled latents by the known latents of the clip. Empty: no latents are known.
  std::function<Tensor(const Tensor& latents)> with_known = {};
};

/// The parts of a Wan pipeline, and the steps that all Wan pipelines share.
class WanParts {
 public:
  /// `models` and `control` have to outlive this.
  WanParts(RenderJob job, ModelStore& models, const RunControl& control);
  WanParts(const WanParts&) = delete;
  WanParts& operator=(const WanParts&) = delete;

  const RenderJob& job() const { return job_; }
  const ComponentLoader& loader() const { return loader_; }
  LatentCodec& vae() { return vae_; }
  WanTransformer3DConfig transformer_config() const;
  AutoencoderKLWanConfig vae_config() const;

  /// Embeddings of the prompt and, with guidance, of the negative prompt: [1, 512, text_dim] on the device,
  /// rows after the last token are zero.
  PromptEmbeds encode_prompt() const;
  /// Noise of the clip's size, `more_frames` latent frames longer, from the generator. Loads the VAE.
  Tensor prepare_latents(int64_t channels, const at::Generator& noise, int64_t more_frames = 0);
  /// Loads a WanTransformer3DModel for prompts and images.
  WanNoisePredictor load_transformer(const std::string& component, const PromptEmbeds& prompt_embeds,
                                     const std::optional<Tensor>& image_embeds = std::nullopt) const;
  /// Loads another class of transformer.
  template <typename Model, typename ModelConfig>
  std::shared_ptr<const Model> load_network(const std::string& component, const ModelConfig& config) const {
    const LoadOptions options = transformer_options(component);
    return loader_.load<Model>(component, options, [&](const Weights& weights) {
      return std::make_shared<const Model>(weights, config,
                                           transformer_blocks(component, options, Model::block_prefixes()));
    });
  }
  /// Runs each step with the expert for its noise level, loading one at a time. Returns final_latents().
  Latents denoise(WanDenoising denoising);

  // As in VideoPipeline.
  void decode(const Latents& run, const VideoPipeline::OnFrames& on_frames);
  std::optional<int64_t> skipped_steps() const { return loop_.skipped_steps(); }

 private:
  LoadOptions transformer_options(const std::string& component) const;
  BlockResidency transformer_blocks(const std::string& component, const LoadOptions& options,
                                    const std::vector<std::string>& prefixes) const;
  /// The component that computes the step at a timestep.
  std::string expert_at(double timestep) const;
  /// Classifier-free guidance with the expert's scale.
  Latents guide(const std::vector<Latents>& noise_preds, const std::string& component) const;
  Tensor without_references(const Tensor& latents) const;

  RenderJob job_;
  RunProgress progress_;
  ComponentLoader loader_;
  PromptEncoder prompt_encoder_;
  LatentCodec vae_;
  DenoisingLoop loop_;
};

}  // namespace t2v
