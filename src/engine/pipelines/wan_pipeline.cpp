#include "engine/pipelines/wan_pipeline.h"

namespace t2v {

Tensor WanPipeline::sample() {
  const c10::InferenceMode inference_mode;
  const PromptEmbeds prompt_embeds = encode_prompt();
  const at::Generator noise = seeded_generator(request().sampling.seed);
  const int64_t channels = WanTransformer3DConfig::from_config(config("transformer")).in_channels;
  // With expand_timesteps every token would have the same timestep: as good as one for all of them.
  const Tensor latents = denoise(draw_latents(channels, noise), noise, [&](const std::string& component) {
    return load_transformer(component, prompt_embeds);
  });
  return finish(latents);
}

}  // namespace t2v
