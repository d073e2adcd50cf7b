#include "networks/text_encoders/clip_vision.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "unit/published_models.h"
#include "unit/tensors.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::relative_error;

const std::filesystem::path kFixture =
    std::filesystem::path(T2V_FIXTURES) / "text_encoders/clip_vision.safetensors";

CLIPVisionConfig small_config(const std::string& activation) {
  const nlohmann::json values = {
      {"hidden_size", 33}, {"intermediate_size", 52}, {"num_hidden_layers", 3},  {"num_attention_heads", 3},
      {"image_size", 20},  {"patch_size", 5},         {"hidden_act", activation}};
  return CLIPVisionConfig::from_config(Config(values, "config.json"));
}

Weights golden() { return Weights::open_file(kFixture, {}); }

CLIPVisionModel load(const std::string& activation, at::ScalarType dtype = at::kFloat) {
  const Weights weights =
      Weights::open_file(kFixture, {.placement = {.dtype = dtype}, .keep_in_fp32 = {}})["weights"];
  CLIPVisionModel model(weights, small_config(activation));
  weights.expect_all_used();
  return model;
}

class GoldenActivation : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenActivation, EqualsTheReferenceInFloat32) {
  const Tensor states = load(GetParam()).forward(golden().tensor("pixel_values"));
  EXPECT_LE(relative_error(states, golden()[GetParam()].tensor("float32")), 2e-6);
}

TEST_P(GoldenActivation, EqualsTheReferenceInBfloat16) {
  const Weights expected = golden()[GetParam()];
  const Tensor states = load(GetParam(), at::kBFloat16).forward(golden().tensor("pixel_values"));
  EXPECT_EQ(states.scalar_type(), at::kBFloat16);
  EXPECT_LE(relative_error(states, expected.tensor("bfloat16")),
            relative_error(expected.tensor("bfloat16"), expected.tensor("float32")));
}

INSTANTIATE_TEST_SUITE_P(All, GoldenActivation, ::testing::Values("gelu", "quick_gelu"));

/// The tensors of a model with one layer, under names with `prefix` before them.
std::vector<std::pair<std::string, Tensor>> one_layer(const std::string& prefix) {
  return {{prefix + "embeddings.class_embedding", seeded_randn({4}, 1)},
          {prefix + "embeddings.patch_embedding.weight", seeded_randn({4, 3, 2, 2}, 2)},
          {prefix + "embeddings.position_embedding.weight", seeded_randn({5, 4}, 3)},
          {prefix + "embeddings.position_ids", at::arange(5).unsqueeze(0)},
          {prefix + "pre_layrnorm.weight", seeded_randn({4}, 4)},
          {prefix + "pre_layrnorm.bias", seeded_randn({4}, 5)},
          {prefix + "encoder.layers.0.mlp.fc1.bias", at::zeros({8})},
          {prefix + "post_layernorm.weight", at::ones({4})},
          {"visual_projection.weight", at::zeros({2, 4})}};
}

TEST(CLIPVisionModel, TakesTheNamesWithAndWithoutTheirPrefix) {
  const CLIPVisionConfig config{.hidden_size = 4,
                                .intermediate_size = 8,
                                .num_hidden_layers = 1,
                                .num_attention_heads = 2,
                                .image_size = 4,
                                .patch_size = 2};
  const Tensor pixels = seeded_randn({1, 3, 4, 4}, 6);
  std::vector<Tensor> states;
  for (const char* prefix : {"", "vision_model."}) {
    const Weights weights = testing::weights_of(one_layer(prefix));
    states.push_back(CLIPVisionModel(weights, config).forward(pixels));
    EXPECT_EQ(error_of([&] { weights.expect_all_used(); }), "") << prefix;
  }
  EXPECT_TRUE(states[0].equal(states[1]));
  EXPECT_THAT(states[0].sizes(), ::testing::ElementsAre(1, 5, 4));
}

TEST(CLIPVisionModel, RejectsAnImageOfAnotherSize) {
  const CLIPVisionModel model = load("gelu");
  EXPECT_THAT(error_of([&] { model.forward(at::zeros({1, 3, 20, 25})); }), HasSubstr("20x25"));
  EXPECT_THAT(error_of([&] { model.forward(at::zeros({1, 4, 20, 20})); }), HasSubstr("4 channels"));
}

TEST(CLIPVisionModel, AsksForTheTensorsOfThePublishedModel) {
  const nlohmann::json published = testing::published_model("clip-vit-h-14");
  const Weights weights = testing::hollow_checkpoint(published);
  const CLIPVisionModel model(weights,
                              CLIPVisionConfig::from_config(Config(published["config"], "config.json")));
  EXPECT_EQ(error_of([&] { weights.expect_all_used(); }), "");
}

}  // namespace
}  // namespace t2v
