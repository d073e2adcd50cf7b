#include "networks/transformers/transformer_wan_vace_cost.h"

#include <gtest/gtest.h>

#include "unit/run_costs.h"

namespace t2v {
namespace {

TEST(VACEDenoisingCost, IsTheCostOfTheRun) {
  const LatentShape latents{.channels = 16, .frames = 3, .height = 32, .width = 32, .tokens = 768};
  WanVACETransformer3DConfig config;
  config.transformer.num_attention_heads = 4;
  config.transformer.attention_head_dim = 64;
  config.transformer.text_dim = 128;
  config.transformer.ffn_dim = 1024;
  config.transformer.num_layers = 3;
  config.vace_layers = {0, 2};
  const DenoisingCost counted = denoising_cost(config, latents, at::kFloat, {});
  TensorList list;
  WanVACETransformer3DModel(Weights::record(list), config);
  const WanVACETransformer3DModel model(testing::random_weights(list), config);
  const Tensor prompt_embeds = at::ones({1, kCountedPromptRows, 128});
  testing::expect_cost(counted.prompt, [&] { model.prepare(prompt_embeds.clone()); });
  const c10::InferenceMode inference_mode;
  const VACEContext context = model.prepare(prompt_embeds);
  testing::expect_cost(counted.forward, [&] {
    model.forward(at::ones({1, 16, 3, 32, 32}), at::ones({1}), context, at::ones({1, 96, 3, 32, 32}),
                  {1.0, 1.0});
  });
}

}  // namespace
}  // namespace t2v
