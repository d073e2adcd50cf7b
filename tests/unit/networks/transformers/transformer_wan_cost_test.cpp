#include "networks/transformers/transformer_wan_cost.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "unit/published_models.h"
#include "unit/run_costs.h"

namespace t2v {
namespace {

constexpr double kTera = 1e12;
const Allocation kExact = {};

WanTransformer3DConfig published(const std::string& name) {
  return WanTransformer3DConfig::from_config(Config(testing::published_model(name)["config"], name));
}

/// A small model of each kind.
WanTransformer3DConfig small_model(bool sees_image) {
  WanTransformer3DConfig config;
  config.num_attention_heads = 4;
  config.attention_head_dim = 64;
  config.text_dim = 128;
  config.ffn_dim = 1024;
  config.num_layers = 2;
  if (sees_image) {
    config.image_dim = 80;
    config.added_kv_proj_dim = 256;
  }
  return config;
}

class DenoisingCostTest : public ::testing::TestWithParam<std::tuple<at::ScalarType, bool>> {};

TEST_P(DenoisingCostTest, IsTheCostOfTheRun) {
  const auto [dtype, sees_image] = GetParam();
  const LatentShape latents{.channels = 16, .frames = 3, .height = 32, .width = 32, .tokens = 768};
  const WanTransformer3DConfig config = small_model(sees_image);
  const DenoisingCost counted = denoising_cost(config, latents, dtype, kExact);

  TensorList list;
  WanTransformer3DModel(Weights::record(list), config);
  const WanTransformer3DModel model(
      testing::random_weights(
          list, {.placement = {.dtype = dtype}, .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32()}),
      config);
  const Tensor prompt_embeds = at::ones({1, kCountedPromptRows, 128}, dtype);
  const auto image_embeds = sees_image ? std::optional(at::ones({1, 257, 80}, dtype)) : std::nullopt;
  testing::expect_cost(counted.prompt, [&] { model.prepare(prompt_embeds.clone(), image_embeds); });
  const c10::InferenceMode inference_mode;
  const TextContext context = model.prepare(prompt_embeds, image_embeds);
  testing::expect_cost(counted.forward, [&] {
    model.forward(at::ones({1, 16, 3, 32, 32}), at::ones({1}), context);
  });
  double kept = 0;
  for (const CrossContext& block : context.blocks) {
    for (const Tensor& tensor : {block.text.key, block.text.value})
      kept += static_cast<double>(tensor.nbytes());
    if (!block.image) continue;
    for (const Tensor& tensor : {block.image->key, block.image->value})
      kept += static_cast<double>(tensor.nbytes());
  }
  EXPECT_DOUBLE_EQ(counted.prompt.kept_bytes, kept);
}

INSTANTIATE_TEST_SUITE_P(All, DenoisingCostTest,
                         ::testing::Combine(::testing::Values(at::kFloat, at::kBFloat16), ::testing::Bool()));

// The figures of the literature, rounded as published.
TEST(DenoisingCost, IsKnownOfPublishedModels) {
  const LatentShape small{.channels = 16, .frames = 21, .height = 60, .width = 104, .tokens = 32760};
  const Cost wan_1_3b = denoising_cost(published("Wan2.1-T2V-1.3B"), small, at::kBFloat16, kExact).forward;
  EXPECT_NEAR((wan_1_3b.flops - wan_1_3b.attention) / kTera, 82, 1);
  EXPECT_NEAR(wan_1_3b.attention / kTera, 201, 1);
  const LatentShape large{.channels = 16, .frames = 21, .height = 90, .width = 160, .tokens = 75600};
  const Cost wan_14b = denoising_cost(published("Wan2.1-T2V-14B"), large, at::kBFloat16, kExact).forward;
  EXPECT_NEAR((wan_14b.flops - wan_14b.attention) / kTera, 1810, 5);
  EXPECT_NEAR(wan_14b.attention / kTera, 4714, 5);
}

}  // namespace
}  // namespace t2v
