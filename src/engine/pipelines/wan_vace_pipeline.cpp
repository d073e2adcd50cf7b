#include "engine/pipelines/wan_vace_pipeline.h"

#include "engine/pipelines/pixels.h"
#include "networks/transformers/transformer_wan_vace.h"

namespace t2v {

Tensor WanVACEPipeline::sample() {
  const c10::InferenceMode inference_mode;
  const PromptEmbeds prompt_embeds = encode_prompt();
  const at::Generator noise = seeded_generator(request().sampling.seed);
  const Tensor control = prepare_control();
  const int64_t channels = WanTransformer3DConfig::from_config(config("transformer")).in_channels;
  const auto num_references = static_cast<int64_t>(job().inputs.reference_images.size());
  const Tensor latents =
      denoise(draw_latents(channels, noise, num_references), noise,
              [&](const std::string& component) { return load_expert(component, prompt_embeds, control); });
  return finish(latents);
}

VideoPipeline::NoisePredictor WanVACEPipeline::load_expert(const std::string& component,
                                                           const PromptEmbeds& prompt_embeds,
                                                           const Tensor& control) const {
  const auto transformer_config = WanVACETransformer3DConfig::from_config(config(component));
  const auto transformer =
      load<WanVACETransformer3DModel>(component, expert_options(component), [&](const Weights& weights) {
        return std::make_shared<const WanVACETransformer3DModel>(weights, transformer_config,
                                                                 residency(component));
      });
  const std::vector<double> scale(transformer_config.vace_layers.size(),
                                  request().conditions.conditioning_scale.value_or(1.0));
  const VACEContext prompt = transformer->prepare(prompt_embeds.prompt);
  const VACEContext negative_prompt =
      prompt_embeds.negative_prompt ? transformer->prepare(*prompt_embeds.negative_prompt) : VACEContext{};
  return [=, this](const Tensor& latents, const Tensor& timestep, Prompt which) {
    return transformer->forward(latents, timestep, which == Prompt::kPositive ? prompt : negative_prompt,
                                control, scale, around_blocks(which));
  };
}

int64_t WanVACEPipeline::num_frames() const {
  return job().inputs.control_video ? job().inputs.control_video->count : request().size.num_frames;
}

ImageSize WanVACEPipeline::size() const {
  if (!job().inputs.control_video) return {request().size.height, request().size.width};
  return {job().inputs.control_video->height, job().inputs.control_video->width};
}

Tensor WanVACEPipeline::control_video(int64_t first, int64_t count) const {
  if (job().inputs.control_video) return to_pixels(*job().inputs.control_video, first, count);
  return at::zeros({1, 3, count, size().height, size().width});
}

Tensor WanVACEPipeline::control_mask(int64_t first, int64_t count) const {
  if (!job().inputs.control_mask) return at::ones({1, 3, count, size().height, size().width});
  return ((to_pixels(*job().inputs.control_mask, first, count) + 1) / 2).clamp(0, 1);
}

Tensor WanVACEPipeline::encode_masked(bool made_anew) {
  return encode({num_frames(), size().height, size().width, [&](int64_t first, int64_t count) {
                   const Tensor mask = (control_mask(first, count) > 0.5).to(at::kFloat);
                   return control_video(first, count) * (made_anew ? mask : 1 - mask);
                 }});
}

Tensor WanVACEPipeline::prepare_mask() const {
  const AutoencoderKLWanConfig vae_config = AutoencoderKLWanConfig::from_config(config("vae"));
  const int64_t factor = vae_config.scale_factor_spatial, each = vae_config.scale_factor_temporal;
  const int64_t rows = size().height / factor, columns = size().width / factor;
  const Tensor mask = control_mask(0, num_frames())[0][0];
  const Tensor channels =
      mask.view({num_frames(), rows, factor, columns, factor}).permute({2, 4, 0, 1, 3}).flatten(0, 1);
  const int64_t latent_frames = (num_frames() + each - 1) / each;
  return at::_upsample_nearest_exact3d(channels.unsqueeze(0), {latent_frames, rows, columns});
}

Tensor WanVACEPipeline::prepare_control() {
  Tensor control = at::cat({encode_masked(false), encode_masked(true)}, 1);
  Tensor mask = prepare_mask().to(control.device());
  for (const Frames& image : job().inputs.reference_images) {
    const Tensor pixels = place_on_canvas(image, size(), vae().config().scale_factor_spatial);
    const Tensor reference =
        encode({1, size().height, size().width, [&](int64_t, int64_t) { return pixels; }});
    control = at::cat({at::cat({reference, at::zeros_like(reference)}, 1), control}, 2);
    mask = at::cat({at::zeros_like(mask.narrow(2, 0, 1)), mask}, 2);
  }
  return at::cat({control, mask}, 1);
}

}  // namespace t2v
