#include "engine/pipelines/wan_vace_pipeline.h"

#include "engine/pipelines/pixels.h"
#include "networks/transformers/transformer_wan_vace.h"

namespace t2v {

void WanVACEPipeline::sample(const OnLatents& on_latents) {
  const c10::InferenceMode inference_mode;
  const PromptEmbeds prompt_embeds = parts_.encode_prompt();
  const at::Generator noise = seeded_generator(parts_.job().request.sampling.seed);
  const Tensor control = prepare_control();
  const auto num_references = static_cast<int64_t>(inputs().reference_images.size());
  const int64_t channels = parts_.transformer_config().in_channels;
  on_latents(parts_.denoise({.latents = parts_.prepare_latents(channels, noise, num_references),
                             .noise = noise,
                             .prompts = prompt_embeds.size(),
                             .load = [&](const std::string& component) {
                               return load_transformer(component, prompt_embeds, control);
                             }}));
}

WanNoisePredictor WanVACEPipeline::load_transformer(const std::string& component,
                                                    const PromptEmbeds& prompt_embeds,
                                                    const Tensor& control) const {
  const auto config = WanVACETransformer3DConfig::from_config(parts_.loader().config(component));
  const auto transformer = parts_.load_network<WanVACETransformer3DModel>(component, config);
  const std::vector<double> scale(config.vace_layers.size(),
                                  parts_.job().request.conditions.conditioning_scale.value_or(1.0));
  std::vector<VACEContext> prompts;
  for (const Tensor& rows : prompt_embeds) prompts.push_back(transformer->prepare(rows));
  return [=](const Tensor& latents, const Tensor& timestep, const GuidancePass& pass) {
    return transformer->forward(latents, timestep, prompts[pass.index], control, scale, pass.around);
  };
}

int64_t WanVACEPipeline::num_frames() const {
  return inputs().control_video ? inputs().control_video->count : parts_.job().request.size.num_frames;
}

ImageSize WanVACEPipeline::size() const {
  if (!inputs().control_video) return {parts_.job().request.size.height, parts_.job().request.size.width};
  return {inputs().control_video->height, inputs().control_video->width};
}

Tensor WanVACEPipeline::control_video(int64_t first, int64_t count) const {
  if (inputs().control_video) return to_pixels(*inputs().control_video, first, count);
  return at::zeros({1, 3, count, size().height, size().width});
}

Tensor WanVACEPipeline::control_mask(int64_t first, int64_t count) const {
  if (!inputs().control_mask) return at::ones({1, 3, count, size().height, size().width});
  return ((to_pixels(*inputs().control_mask, first, count) + 1) / 2).clamp(0, 1);
}

Tensor WanVACEPipeline::encode_masked(bool made_anew) {
  return parts_.vae().encode({num_frames(), size().height, size().width, [&](int64_t first, int64_t count) {
                                const Tensor mask = (control_mask(first, count) > 0.5).to(at::kFloat);
                                return control_video(first, count) * (made_anew ? mask : 1 - mask);
                              }});
}

Tensor WanVACEPipeline::prepare_mask() const {
  const AutoencoderKLWanConfig vae_config = parts_.vae_config();
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
  for (const Frames& image : inputs().reference_images) {
    const Tensor pixels = place_on_canvas(image, size(), parts_.vae_config().scale_factor_spatial);
    const Tensor reference =
        parts_.vae().encode({1, size().height, size().width, [&](int64_t, int64_t) { return pixels; }});
    control = at::cat({at::cat({reference, at::zeros_like(reference)}, 1), control}, 2);
    mask = at::cat({at::zeros_like(mask.narrow(2, 0, 1)), mask}, 2);
  }
  return at::cat({control, mask}, 1);
}

}  // namespace t2v
