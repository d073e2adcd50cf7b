#include "engine/pipelines/wan_image_to_video_pipeline.h"

#include <array>
#include <vector>

#include "engine/pipelines/pixels.h"
#include "networks/text_encoders/clip_vision.h"

namespace t2v {
namespace {

/// The timestep [1] for every token of the latents, 0 for tokens of the first frame: [1, tokens].
Tensor timestep_of_tokens(const Tensor& timestep, const Tensor& latents,
                          const std::array<int64_t, 3>& patch_size) {
  const int64_t tokens_a_frame = latents.size(3) / patch_size[1] * (latents.size(4) / patch_size[2]);
  const Tensor tokens = timestep.to(at::kFloat).expand({latents.size(2) * tokens_a_frame}).clone();
  tokens.narrow(0, 0, tokens_a_frame).zero_();
  return tokens.unsqueeze(0);
}

}  // namespace

void WanImageToVideoPipeline::sample(const OnLatents& on_latents) {
  const c10::InferenceMode inference_mode;
  const PromptEmbeds prompt_embeds = parts_.encode_prompt();
  const at::Generator noise = seeded_generator(parts_.job().request.sampling.seed);
  const bool expand_timesteps = parts_.job().checkpoint.index.boolean("expand_timesteps", false);
  on_latents(expand_timesteps ? denoise_behind_first_frame(prompt_embeds, noise)
                              : denoise_beside_condition(prompt_embeds, noise));
}

std::optional<Tensor> WanImageToVideoPipeline::encode_image() const {
  if (!parts_.transformer_config().image_dim) return std::nullopt;
  const ComponentLoader& loader = parts_.loader();
  const CLIPVisionConfig config = CLIPVisionConfig::from_config(loader.config("image_encoder"));
  std::vector<Tensor> images{to_clip_pixels(*inputs().image, config.image_size)};
  if (inputs().end_image) images.push_back(to_clip_pixels(*inputs().end_image, config.image_size));

  const auto image_encoder = loader.load<CLIPVisionModel>(
      "image_encoder", loader.float32_options(),
      [&](const Weights& weights) { return std::make_shared<const CLIPVisionModel>(weights, config); });
  const Placement& placement = parts_.job().placement;
  return image_encoder->forward(at::cat(images).to(placement.device)).to(placement.dtype);
}

Tensor WanImageToVideoPipeline::fit(const Frames& image) const {
  return to_pixels(resize(image, size().height, size().width, ResizeFilter::kLanczos));
}

Tensor WanImageToVideoPipeline::prepare_condition() {
  const int64_t num_frames = size().num_frames;
  const bool ends = inputs().end_image.has_value();
  const Tensor image = fit(*inputs().image);
  const Tensor end_image = ends ? fit(*inputs().end_image) : Tensor();
  const Tensor latents =
      parts_.vae().encode({num_frames, size().height, size().width, [&](int64_t first, int64_t count) {
                             const Tensor frames = at::zeros({1, 3, count, image.size(3), image.size(4)});
                             if (first == 0) frames.narrow(2, 0, 1).copy_(image);
                             if (ends && first + count == num_frames)
                               frames.narrow(2, count - 1, 1).copy_(end_image);
                             return frames;
                           }});
  // The mask has one channel for each frame of a latent frame. The first latent frame has a single frame,
  // which fills all its channels.
  const int64_t frames_each = parts_.vae_config().scale_factor_temporal;
  const Tensor known =
      at::zeros({1, frames_each, latents.size(2), latents.size(3), latents.size(4)}, latents.options());
  known.select(2, 0).fill_(1);
  if (ends) known.select(2, -1).select(1, -1).fill_(1);
  return at::cat({known, latents}, 1);
}

Tensor WanImageToVideoPipeline::prepare_first_frame() {
  const Tensor image = fit(*inputs().image);
  return parts_.vae().encode({1, size().height, size().width, [&](int64_t, int64_t) { return image; }});
}

Latents WanImageToVideoPipeline::denoise_beside_condition(const PromptEmbeds& prompt_embeds,
                                                          const at::Generator& noise) {
  const std::optional<Tensor> image_embeds = encode_image();
  const Tensor condition = prepare_condition();
  return parts_.denoise(
      {.latents = parts_.prepare_latents(parts_.vae_config().z_dim, noise),
       .noise = noise,
       .prompts = prompt_embeds.size(),
       .load = [&](const std::string& component) -> WanNoisePredictor {
         const WanNoisePredictor predict = parts_.load_transformer(component, prompt_embeds, image_embeds);
         return [=](const Tensor& latents, const Tensor& timestep, const GuidancePass& pass) {
           return predict(at::cat({latents, condition}, 1), timestep, pass);
         };
       }});
}

Latents WanImageToVideoPipeline::denoise_behind_first_frame(const PromptEmbeds& prompt_embeds,
                                                            const at::Generator& noise) {
  const Tensor first_frame = prepare_first_frame();
  const std::array<int64_t, 3> patch_size = parts_.transformer_config().patch_size;
  const auto with_first_frame = [=](const Tensor& latents) {
    return at::cat({first_frame, latents.narrow(2, 1, latents.size(2) - 1)}, 2);
  };
  return parts_.denoise(
      {.latents = parts_.prepare_latents(parts_.vae_config().z_dim, noise),
       .noise = noise,
       .prompts = prompt_embeds.size(),
       .load = [&](const std::string& component) -> WanNoisePredictor {
         const WanNoisePredictor predict = parts_.load_transformer(component, prompt_embeds);
         return [=](const Tensor& latents, const Tensor& timestep, const GuidancePass& pass) {
           return predict(with_first_frame(latents), timestep_of_tokens(timestep, latents, patch_size), pass);
         };
       },
       .with_known = with_first_frame});
}

}  // namespace t2v
