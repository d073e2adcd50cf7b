#include "engine/pipelines/wan_image_to_video_pipeline.h"

#include "engine/pipelines/pixels.h"
#include "networks/text_encoders/clip_vision.h"

namespace t2v {

Tensor WanImageToVideoPipeline::sample() {
  const c10::InferenceMode inference_mode;
  const PromptEmbeds prompt_embeds = encode_prompt();
  const at::Generator noise = seeded_generator(request().sampling.seed);
  return finish(job().checkpoint.expand_timesteps ? sample_behind_first_frame(prompt_embeds, noise)
                                                  : sample_beside_condition(prompt_embeds, noise));
}

std::optional<Tensor> WanImageToVideoPipeline::encode_images() const {
  if (!WanTransformer3DConfig::from_config(config("transformer")).image_dim) return std::nullopt;
  const CLIPVisionConfig encoder_config = CLIPVisionConfig::from_config(config("image_encoder"));
  std::vector<Tensor> images{to_clip_pixels(*job().inputs.image, encoder_config.image_size)};
  if (job().inputs.end_image)
    images.push_back(to_clip_pixels(*job().inputs.end_image, encoder_config.image_size));

  const auto image_encoder =
      load<CLIPVisionModel>("image_encoder", float32_options(), [&](const Weights& weights) {
        return std::make_shared<const CLIPVisionModel>(weights, encoder_config);
      });
  return image_encoder->forward(at::cat(images).to(job().placement.device)).to(job().placement.dtype);
}

Tensor WanImageToVideoPipeline::fit(const Frames& image) const {
  return to_pixels(resize(image, request().size.height, request().size.width, ResizeFilter::kLanczos));
}

Tensor WanImageToVideoPipeline::prepare_condition() {
  const int64_t num_frames = request().size.num_frames;
  const bool ends = job().inputs.end_image.has_value();
  const Tensor image = fit(*job().inputs.image);
  const Tensor end_image = ends ? fit(*job().inputs.end_image) : Tensor();
  const Tensor latents =
      encode({num_frames, request().size.height, request().size.width, [&](int64_t first, int64_t count) {
                const Tensor frames = at::zeros({1, 3, count, image.size(3), image.size(4)});
                if (first == 0) frames.narrow(2, 0, 1).copy_(image);
                if (ends && first + count == num_frames) frames.narrow(2, count - 1, 1).copy_(end_image);
                return frames;
              }});
  // One channel for each frame of a latent frame, of which the first has one only: all its channels say it.
  const int64_t frames_each = vae().config().scale_factor_temporal;
  const Tensor known =
      at::zeros({1, frames_each, latents.size(2), latents.size(3), latents.size(4)}, latents.options());
  known.select(2, 0).fill_(1);
  if (ends) known.select(2, -1).select(1, -1).fill_(1);
  return at::cat({known, latents}, 1);
}

Tensor WanImageToVideoPipeline::sample_beside_condition(const PromptEmbeds& prompt_embeds,
                                                        const at::Generator& noise) {
  const std::optional<Tensor> image_embeds = encode_images();
  const Tensor condition = prepare_condition();
  return denoise(draw_latents(vae().config().z_dim, noise), noise, [&](const std::string& component) {
    const NoisePredictor predict = load_transformer(component, prompt_embeds, image_embeds);
    return [predict, condition](const Tensor& latents, const Tensor& timestep, Prompt prompt) {
      return predict(at::cat({latents, condition}, 1), timestep, prompt);
    };
  });
}

Tensor WanImageToVideoPipeline::sample_behind_first_frame(const PromptEmbeds& prompt_embeds,
                                                          const at::Generator& noise) {
  const Tensor image = fit(*job().inputs.image);
  first_frame_ =
      encode({1, request().size.height, request().size.width, [&](int64_t, int64_t) { return image; }});
  const std::array<int64_t, 3> patch = WanTransformer3DConfig::from_config(config("transformer")).patch_size;
  const auto expand = [patch](const Tensor& timestep, const Tensor& latents) {
    const int64_t tokens_a_frame = latents.size(3) / patch[1] * (latents.size(4) / patch[2]);
    const Tensor tokens = timestep.to(at::kFloat).expand({latents.size(2) * tokens_a_frame}).clone();
    tokens.narrow(0, 0, tokens_a_frame).zero_();
    return tokens.unsqueeze(0);
  };
  const Tensor latents =
      denoise(draw_latents(vae().config().z_dim, noise), noise, [&](const std::string& component) {
        const NoisePredictor predict = load_transformer(component, prompt_embeds);
        return [=, this](const Tensor& sample, const Tensor& timestep, Prompt prompt) {
          return predict(with_known(sample), expand(timestep, sample), prompt);
        };
      });
  return with_known(latents);
}

Tensor WanImageToVideoPipeline::with_known(const Tensor& latents) const {
  if (!first_frame_) return latents;
  return at::cat({*first_frame_, latents.narrow(2, 1, latents.size(2) - 1)}, 2);
}

}  // namespace t2v
