#include "engine/pipelines/wan_parts.h"

#include <utility>

#include "engine/pipelines/wan_cost_model.h"
#include "engine/pipelines/wan_vae.h"
#include "networks/text_encoders/umt5_encoder.h"
#include "networks/transformers/transformer_wan.h"
#include "sampling/guidance/classifier_free_guidance.h"

namespace t2v {
namespace {

TextEncoder umt5_text_encoder() {
  const auto make = [](const Weights& weights, const Config& config, const BlockResidency& residency) {
    const auto encoder =
        std::make_shared<const UMT5Encoder>(weights, UMT5Config::from_config(config), residency);
    return [encoder](const std::vector<Tensor>& input_ids) { return encoder->forward(input_ids); };
  };
  // The hidden states of UMT5 are too large for float16.
  return {.component = "text_encoder",
          .make = make,
          .max_sequence_length = kWanMaxSequenceLength,
          .float16 = false};
}

}  // namespace

WanParts::WanParts(RenderJob job, ModelStore& models, const RunControl& control)
    : job_(std::move(job)),
      progress_(control),
      loader_(job_, models, progress_),
      prompt_encoder_(job_, loader_, progress_, umt5_text_encoder()),
      vae_(job_, progress_, [this](bool with_encoder) { return load_wan_vae(loader_, with_encoder); }),
      loop_(job_, loader_, progress_) {}

WanTransformer3DConfig WanParts::transformer_config() const {
  return WanTransformer3DConfig::from_config(loader_.config(kTransformer));
}

AutoencoderKLWanConfig WanParts::vae_config() const {
  return AutoencoderKLWanConfig::from_config(loader_.config("vae"));
}

PromptEmbeds WanParts::encode_prompt() const {
  PromptEmbeds prompt_embeds = prompt_encoder_.encode(prompts_of(job_.request));
  for (Tensor& rows : prompt_embeds) {
    rows =
        at::constant_pad_nd(rows.to(job_.placement.device), {0, 0, 0, kWanMaxSequenceLength - rows.size(1)});
  }
  return prompt_embeds;
}

Tensor WanParts::prepare_latents(int64_t channels, const at::Generator& noise, int64_t more_frames) {
  vae_.load();
  const AutoencoderKLWanConfig compression = vae_config();
  const CheckedSize& size = job_.request.size;
  const int64_t frames = (size.num_frames - 1) / compression.scale_factor_temporal + 1 + more_frames;
  const std::vector<int64_t> shape{1, channels, frames, size.height / compression.scale_factor_spatial,
                                   size.width / compression.scale_factor_spatial};
  return at::randn(shape, noise, at::kFloat).to(job_.placement.device);
}

WanNoisePredictor WanParts::load_transformer(const std::string& component, const PromptEmbeds& prompt_embeds,
                                             const std::optional<Tensor>& image_embeds) const {
  const auto config = WanTransformer3DConfig::from_config(loader_.config(component));
  const auto transformer = load_network<WanTransformer3DModel>(component, config);
  std::vector<TextContext> prompts;
  for (const Tensor& rows : prompt_embeds) prompts.push_back(transformer->prepare(rows, image_embeds));
  return [=](const Tensor& latents, const Tensor& timestep, const GuidancePass& pass) {
    return transformer->forward(latents, timestep, prompts[pass.index], pass.around);
  };
}

LoadOptions WanParts::transformer_options(const std::string& component) const {
  return loader_.transformer_options(component, WanTransformer3DModel::keep_in_fp32());
}

BlockResidency WanParts::transformer_blocks(const std::string& component, const LoadOptions& options,
                                            const std::vector<std::string>& prefixes) const {
  return loader_.transformer_blocks(component, options, prefixes, [&] {
    const auto costs = make_wan_cost_model(job_.checkpoint, job_.request, job_.placement);
    return bytes_beside(*costs, job_.checkpoint, component, job_.placement);
  });
}

Latents WanParts::denoise(WanDenoising denoising) {
  const auto with_known = [&](const Tensor& latents) {
    return denoising.with_known ? denoising.with_known(latents) : latents;
  };
  Denoiser denoiser{.component_at = [this](double timestep) { return expert_at(timestep); },
                    .load = [&](const std::string& component) -> NoisePredictor {
                      return [predict = denoising.load(component)](
                                 const Latents& latents, const Tensor& timestep, const GuidancePass& pass) {
                        return Latents{{kVideoLatents, predict(latents.at(kVideoLatents), timestep, pass)}};
                      };
                    },
                    .passes = denoising.prompts,
                    .guide = [this](const auto& noise_preds,
                                    const std::string& component) { return guide(noise_preds, component); }};
  if (job_.on_preview) {
    denoiser.on_step = [&](int64_t done, int64_t total, const std::function<Latents()>& denoised) {
      job_.on_preview(done, total, [&] {
        return vae_.preview(without_references(with_known(denoised().at(kVideoLatents))));
      });
    };
  }
  const Latents latents =
      loop_.run({{kVideoLatents, std::move(denoising.latents)}}, denoising.noise, denoiser);
  return final_latents({{kVideoLatents, with_known(latents.at(kVideoLatents))}});
}

std::string WanParts::expert_at(double timestep) const {
  const double own = job_.checkpoint.index.number("boundary_ratio", 0);
  const double ratio = job_.request.sampling.boundary_ratio.value_or(own);
  const int64_t train_timesteps = job_.checkpoint.scheduler.integer("num_train_timesteps", 1000);
  // Compared in float32, as the reference does.
  const auto boundary = static_cast<float>(ratio * static_cast<double>(train_timesteps));
  return static_cast<float>(timestep) < boundary ? kLowNoiseTransformer : kTransformer;
}

Latents WanParts::guide(const std::vector<Latents>& noise_preds, const std::string& component) const {
  if (noise_preds.size() == 1) return noise_preds[0];
  const CheckedSampling& sampling = job_.request.sampling;
  const double scale = component == kLowNoiseTransformer
                           ? sampling.guidance_scale_2.value_or(sampling.guidance_scale)
                           : sampling.guidance_scale;
  return {{kVideoLatents, classifier_free_guidance(noise_preds[0].at(kVideoLatents),
                                                   noise_preds[1].at(kVideoLatents), scale)}};
}

void WanParts::decode(const Latents& run, const VideoPipeline::OnFrames& on_frames) {
  const c10::InferenceMode inference_mode;
  vae_.decode(without_references(run.at(kVideoLatents)), on_frames);
}

Tensor WanParts::without_references(const Tensor& latents) const {
  return latents.slice(2, static_cast<int64_t>(job_.request.conditions.reference_images.size()));
}

}  // namespace t2v
