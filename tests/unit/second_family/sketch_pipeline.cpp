#include "unit/second_family/sketch_pipeline.h"

#include "engine/pipelines/denoising_loop.h"
#include "engine/pipelines/latent_codec.h"
#include "engine/pipelines/prompt_encoder.h"
#include "sampling/guidance/classifier_free_guidance.h"
#include "unit/second_family/sketch_family.h"
#include "unit/second_family/sketch_networks.h"

namespace t2v::testing {
namespace {

constexpr int64_t kMaxSequenceLength = 12;

class SketchVae final : public Vae {
 public:
  explicit SketchVae(std::shared_ptr<const SketchVqVae> network) : network_(std::move(network)) {}

  void decode(const Tensor& latents, const std::optional<VaeTiling>&,
              const std::function<void(const Tensor& pixels)>& on_chunk) const override {
    for (int64_t i = 0; i < latents.size(2); ++i) on_chunk(network_->decode(latents.narrow(2, i, 1)));
  }
  Tensor encode(const VideoSource&, const std::optional<VaeTiling>&) const override {
    throw Error(ErrorCode::kBug, {.doing = "encoding a sketch"});
  }

 private:
  std::shared_ptr<const SketchVqVae> network_;
};

TextEncoder text_encoder() {
  const auto make = [](const Weights& weights, const Config& config, const BlockResidency&) {
    const auto encoder = std::make_shared<const SketchTextEncoder>(weights, config);
    return [encoder](const std::vector<Tensor>& input_ids) {
      PromptEmbeds embeds;
      for (const Tensor& ids : input_ids) embeds.push_back(encoder->forward(ids));
      return embeds;
    };
  };
  return {.component = kTextEncoder2, .make = make, .max_sequence_length = kMaxSequenceLength};
}

class SketchPipeline final : public VideoPipeline {
 public:
  SketchPipeline(RenderJob job, ModelStore& models, const RunControl& control)
      : job_(std::move(job)),
        progress_(control),
        loader_(job_, models, progress_),
        prompt_encoder_(job_, loader_, progress_, text_encoder()),
        vae_(job_, progress_, [this](bool) { return load_vae(); }),
        loop_(job_, loader_, progress_) {}

  void sample(const OnLatents& on_latents) override {
    const c10::InferenceMode inference_mode;
    const PromptEmbeds prompts = prompt_encoder_.encode(prompts_of(job_.request));
    vae_.load();
    const CheckedSize& size = job_.request.size;
    const LatentShape shape = job_.checkpoint.geometry().latents({size.num_frames, size.height, size.width});
    const at::Generator noise = seeded_generator(job_.request.sampling.seed);
    const Tensor latents = at::randn({1, shape.channels, shape.frames, shape.height, shape.width}, noise);
    const Denoiser denoiser{
        .component_at = [](double) { return kUnet; },
        .load = [&](const std::string&) { return load_unet(prompts); },
        .passes = prompts.size(),
        .guide = [this](const auto& noise_preds, const auto&) { return guide(noise_preds); }};
    on_latents(final_latents(loop_.run({{kVideoLatents, latents}}, noise, denoiser)));
  }
  void decode(const Latents& run, const OnFrames& on_frames) override {
    const c10::InferenceMode inference_mode;
    vae_.decode(run.at(kVideoLatents), on_frames);
  }
  std::optional<int64_t> skipped_steps() const override { return loop_.skipped_steps(); }

 private:
  NoisePredictor load_unet(const PromptEmbeds& prompts) const {
    const Config config = loader_.config(kUnet);
    const auto unet = loader_.load<SketchUNet>(
        kUnet, loader_.transformer_options(kUnet, {}),
        [&](const Weights& weights) { return std::make_shared<const SketchUNet>(weights, config); });
    return [unet, prompts](const Latents& latents, const Tensor& timestep, const GuidancePass& pass) {
      return Latents{
          {kVideoLatents, unet->forward(latents.at(kVideoLatents), timestep, prompts[pass.index])}};
    };
  }

  std::shared_ptr<const Vae> load_vae() const {
    const Config config = loader_.config(kVqVae);
    return std::make_shared<SketchVae>(loader_.load<SketchVqVae>(
        kVqVae, loader_.float32_options(),
        [&](const Weights& weights) { return std::make_shared<const SketchVqVae>(weights, config); }));
  }

  Latents guide(const std::vector<Latents>& noise_preds) const {
    if (noise_preds.size() == 1) return noise_preds[0];
    return {{kVideoLatents,
             classifier_free_guidance(noise_preds[0].at(kVideoLatents), noise_preds[1].at(kVideoLatents),
                                      job_.request.sampling.guidance_scale)}};
  }

  RenderJob job_;
  RunProgress progress_;
  ComponentLoader loader_;
  PromptEncoder prompt_encoder_;
  LatentCodec vae_;
  DenoisingLoop loop_;
};

class SketchCostModel final : public CostModel {
 public:
  SketchCostModel(const Checkpoint& checkpoint, const CheckedSize& size)
      : latents_(checkpoint.geometry().latents({size.num_frames, size.height, size.width})) {}

  LatentShape latents() const override { return latents_; }
  ComponentUse use(const std::string&) const override { return {}; }
  NetworkSize size(const std::string&) const override { return {1, latents_.tokens}; }
  ComponentWork text() const override { return {.component = kTextEncoder2}; }
  std::vector<ComponentWork> conditions() const override { return {}; }
  ComponentWork sampling(const std::string& component) const override {
    const auto tokens = static_cast<double>(latents_.tokens);
    return {.component = component, .flops = 1e6 * tokens, .bytes = 1e3 * tokens};
  }
  ComponentWork decoding() const override { return {.component = kVqVae}; }

 private:
  LatentShape latents_;
};

std::unique_ptr<VideoPipeline> make_pipeline(RenderJob job, ModelStore& models, const RunControl& control) {
  return std::make_unique<SketchPipeline>(std::move(job), models, control);
}

std::unique_ptr<CostModel> make_cost_model(const Checkpoint& checkpoint, const CheckedRequest& request,
                                           Placement) {
  return std::make_unique<SketchCostModel>(checkpoint, request.size);
}

void construct(const std::string& network, const Config& config, const Weights& weights) {
  if (network == kUnet) SketchUNet(weights, config);
  if (network == kVqVae) SketchVqVae(weights, config);
  if (network == kTextEncoder2) SketchTextEncoder(weights, config);
}

std::vector<std::string> keep_in_fp32(const std::string& network) {
  return network == kUnet ? std::vector<std::string>{"time"} : std::vector<std::string>{};
}

}  // namespace

FamilyPipelines sketch_pipelines() {
  return {.family = "Sketch",
          .max_sequence_length = kMaxSequenceLength,
          .make_pipeline = make_pipeline,
          .make_cost_model = make_cost_model,
          .construct = construct,
          .keep_in_fp32 = keep_in_fp32};
}

}  // namespace t2v::testing
