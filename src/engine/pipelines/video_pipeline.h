#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/pipelines/latent_preview.h"
#include "engine/pipelines/model_store.h"
#include "engine/pipelines/render_job.h"
#include "media/images/frames.h"
#include "networks/autoencoders/autoencoder_kl_wan.h"
#include "networks/transformers/transformer_wan.h"
#include "sampling/caching/step_cache.h"
#include "sampling/schedulers/scheduler.h"
#include "tensors/tensor.h"
#include "tensors/weights/block_source.h"

namespace t2v {

/// What a request's text encoder is asked for: the prompt, and with guidance the negative prompt.
std::vector<std::string> prompts_of(const CheckedRequest& request);

/// Renders one clip, and what diffusers' Wan pipelines have in common for it. Each component is loaded when
/// its phase begins and, unless the store keeps it for a coming clip, released when it ends: the largest of
/// them, not their sum, decides how much memory a clip needs.
class VideoPipeline {
 public:
  /// The pipeline of the checkpoint's class, or, for a checkpoint that renders with and without an image, the
  /// one that suits the request.
  static std::unique_ptr<VideoPipeline> make(RenderJob job, ModelStore& models, const RunControl& control);
  virtual ~VideoPipeline() = default;

  /// The final latents [1, channels, frames, height, width], float32 on the CPU. The VAE is loaded before the
  /// first step, so that a bad one is told before the work. Error (kInput, kResource, kNumbers); Stopped.
  virtual Tensor sample() = 0;

  /// Latents as sample() gives them to frames, handed out in order as they are decoded; memory does not grow
  /// with their number. Latents of reference images, which come before the clip's, are left out. Error
  /// (kInput, kResource, kNumbers); Stopped.
  void decode(const Tensor& latents, const std::function<void(const Frames&)>& on_frames);

  /// How many steps were not computed by sample(); empty without a cache.
  std::optional<int64_t> skipped_steps() const { return skipped_steps_; }

 protected:
  /// What the transformer attends to: [1, 512, text_dim], rows behind the last token are zero.
  struct PromptEmbeds {
    Tensor prompt;
    std::optional<Tensor> negative_prompt;  ///< empty without guidance
  };
  /// Which of them.
  enum class Prompt { kPositive, kNegative };
  /// One expert at work on the clip: latents, in float32, and timestep -> noise_pred.
  using NoisePredictor = std::function<Tensor(const Tensor& latents, const Tensor& timestep, Prompt prompt)>;
  /// Loads the expert that is the component of that name.
  using ExpertLoader = std::function<NoisePredictor(const std::string& component)>;

  VideoPipeline(RenderJob job, ModelStore& models, const RunControl& control);

  const RenderJob& job() const { return job_; }
  const CheckedRequest& request() const { return job_.request; }
  Config config(const std::string& component) const { return job_.checkpoint.get(component).config; }

  PromptEmbeds encode_prompt() const;
  /// The model of a component: one that the store keeps, or what `make` makes of its weights. `variant` tells
  /// apart what `make` makes.
  template <typename Model>
  std::shared_ptr<const Model> load(const std::string& component, const LoadOptions& options,
                                    const std::function<std::shared_ptr<const Model>(const Weights&)>& make,
                                    const std::string& variant = "") const {
    return models_.get<Model>(component, identity(component, options) + variant, [&] {
      const Weights weights = open_weights(component, options);
      auto model = make(weights);
      weights.expect_all_used();
      return model;
    });
  }
  /// For an expert: in the request's numbers, with the LoRAs that it has for this one.
  LoadOptions expert_options(const std::string& component) const;
  /// For the VAE and the image encoder.
  LoadOptions float32_options() const;
  /// Which blocks of an expert stay on the device.
  BlockResidency residency(const std::string& component) const;
  /// Loads an expert that is a WanTransformer3DModel.
  NoisePredictor load_transformer(const std::string& component, const PromptEmbeds& prompt_embeds,
                                  const std::optional<Tensor>& image_embeds = std::nullopt) const;
  /// The VAE, loaded by the first call, which decides its parts.
  const AutoencoderKLWan& vae(AutoencoderKLWan::Parts parts = AutoencoderKLWan::Parts::kDecoder);
  /// The latents of a video, normalised: [1, z_dim, frames, height, width] in float32.
  Tensor encode(const VideoSource& video);

  /// Noise of the clip's size, `more_frames` latent frames longer.
  Tensor draw_latents(int64_t channels, const at::Generator& noise, int64_t more_frames = 0);
  /// From noise to the final latents: every step with the expert of its noise level, of which one at a time
  /// is loaded.
  Tensor denoise(Tensor latents, const at::Generator& noise, const ExpertLoader& load_expert);
  /// What goes around an expert's blocks for this prompt.
  AroundBlocks around_blocks(Prompt prompt) const;
  /// Latents with those of the clip's frames that are known and not sampled.
  virtual Tensor with_known(const Tensor& latents) const { return latents; }
  /// Error (kNumbers); what sample() returns.
  static Tensor finish(const Tensor& latents);

  void emit(Event::Kind kind, int64_t done, int64_t total, const std::string& detail = "") const;
  void stop_if_asked() const;

 private:
  /// The component that is the expert of each step.
  std::vector<std::string> experts(const Scheduler& scheduler) const;
  Tensor predict_guided(const NoisePredictor& predict, const Tensor& latents, const Tensor& timestep,
                        double guidance_scale) const;
  /// Asks the files of the expert that will be at work in a few steps into memory, if it is another.
  std::future<void> prefetch_next(const std::vector<std::string>& experts, int64_t step) const;
  double guidance_scale_of(const std::string& expert) const;
  /// For the expert that begins with this step.
  void begin_caching(const std::vector<std::string>& experts, int64_t step);
  void finish_caching();
  void tell_skipped_steps() const;
  /// Opens a component, having told that it is loaded.
  Weights open_weights(const std::string& component, LoadOptions options) const;
  /// What a component is loaded from, and how.
  std::string identity(const std::string& component, const LoadOptions& options) const;
  Placement text_encoder_placement() const;
  /// The text encoder's rows [1, length, d_model] for each prompt, from the cache where that has them.
  std::vector<Tensor> encode_text(const std::vector<std::string>& prompts) const;
  std::vector<Tensor> run_text_encoder(const std::vector<std::vector<int64_t>>& prompts,
                                       const Placement& placement) const;
  Tensor without_references(const Tensor& latents) const;
  Frames preview(const Tensor& predicted);  ///< of latents without noise
  /// Latents on the device -> pixels, as AutoencoderKLWan::decode() hands them out.
  void decode_on_device(const Tensor& latents, const std::function<void(const Tensor&)>& on_chunk);
  std::optional<VaeTiling> tiling() const;  ///< if the request wants it

  RenderJob job_;
  ModelStore& models_;
  const RunControl& control_;
  std::shared_ptr<const AutoencoderKLWan> vae_;
  std::unique_ptr<StepCache> step_cache_;  ///< of the expert at work
  std::optional<int64_t> skipped_steps_;
};

}  // namespace t2v
