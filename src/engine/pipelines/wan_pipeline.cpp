#include "engine/pipelines/wan_pipeline.h"

#include "engine/pipelines/wan_image_to_video_pipeline.h"
#include "engine/pipelines/wan_vace_pipeline.h"

namespace t2v {

void WanPipeline::sample(const OnLatents& on_latents) {
  const c10::InferenceMode inference_mode;
  const PromptEmbeds prompt_embeds = parts_.encode_prompt();
  const at::Generator noise = seeded_generator(parts_.job().request.sampling.seed);
  // With expand_timesteps every token would have the same timestep, so one timestep for all tokens is enough.
  on_latents(
      parts_.denoise({.latents = parts_.prepare_latents(parts_.transformer_config().in_channels, noise),
                      .noise = noise,
                      .prompts = prompt_embeds.size(),
                      .load = [&](const std::string& component) {
                        return parts_.load_transformer(component, prompt_embeds);
                      }}));
}

std::unique_ptr<VideoPipeline> make_wan_pipeline(RenderJob job, ModelStore& models,
                                                 const RunControl& control) {
  const std::string pipeline = job.checkpoint.pipeline();
  if (pipeline == "WanVACEPipeline")
    return std::make_unique<WanVACEPipeline>(std::move(job), models, control);
  const bool with_image = job.checkpoint.index.boolean("expand_timesteps", false)
                              ? job.inputs.image.has_value()
                              : pipeline == "WanImageToVideoPipeline";
  if (with_image) return std::make_unique<WanImageToVideoPipeline>(std::move(job), models, control);
  return std::make_unique<WanPipeline>(std::move(job), models, control);
}

}  // namespace t2v
