#include "transformers/transformer_wan.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../published_models.h"
#include "../tensors.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::mixed_error;
using testing::open_fixture;
using testing::relative_error;

const std::filesystem::path kFolder = std::filesystem::path(T2V_FIXTURES) / "tiny-wan/transformer";
constexpr const char* kGolden = "transformers/transformer_wan.safetensors";

WanTransformer3DConfig tiny_config() {
  return WanTransformer3DConfig::from_config(Config::read(kFolder / "config.json"));
}

Weights open_tiny(at::ScalarType dtype = at::kFloat) {
  return Weights::open_folder(
      kFolder, "diffusion_pytorch_model",
      {.placement = {.dtype = dtype}, .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32()});
}

WanTransformer3DModel load_tiny(at::ScalarType dtype = at::kFloat) {
  const Weights weights = open_tiny(dtype);
  WanTransformer3DModel model(weights, tiny_config());
  weights.expect_all_used();
  return model;
}

/// The prompt rows of a golden case with the zero rows that follow them, 512 in all.
Tensor padded_prompt(const Weights& golden) {
  const Tensor rows = golden.tensor("prompt_embeds");
  return at::constant_pad_nd(rows, {0, 0, 0, 512 - rows.size(1)});
}

class GoldenCase : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenCase, EqualsTheReferenceInFloat32) {
  const Weights golden = open_fixture(kGolden)[GetParam()];
  const WanTransformer3DModel model = load_tiny();
  const Tensor noise_pred = model.forward(golden.tensor("hidden_states"), golden.tensor("timestep"),
                                          model.prepare(padded_prompt(golden)));
  EXPECT_LE(relative_error(noise_pred, golden.tensor("float32")), 1e-5);
}

TEST_P(GoldenCase, EqualsTheReferenceInBfloat16) {
  const Weights golden = open_fixture(kGolden)[GetParam()];
  const WanTransformer3DModel model = load_tiny(at::kBFloat16);
  const Tensor noise_pred = model.forward(golden.tensor("hidden_states"), golden.tensor("timestep"),
                                          model.prepare(padded_prompt(golden)));
  EXPECT_EQ(noise_pred.scalar_type(), at::kBFloat16);
  EXPECT_LE(mixed_error(noise_pred, golden.tensor("bfloat16")), 1e-2);
}

INSTANTIATE_TEST_SUITE_P(All, GoldenCase, ::testing::Values("portrait", "landscape", "long"));

TEST(WanTransformerBlock, EveryBlockEqualsTheReference) {
  const Weights golden = open_fixture(kGolden);
  const WanTransformer3DConfig config = tiny_config();
  const RotaryEmb rotary = rotary_emb(config, {3, 4, 2}, at::kCPU);  // the portrait case
  // 12 rows of a prompt and the first of 500 equal ones.
  Tensor row_bias = at::zeros({1, 13});
  row_bias[0][12].fill_(std::log(500.0));

  Tensor input = golden.tensor("block.input");
  for (int i = 0; i < config.num_layers; ++i) {
    const WanTransformerBlock block(open_tiny()["blocks." + std::to_string(i)], config);
    const Tensor expected = golden.tensor("block." + std::to_string(i));
    const Tensor output = block.forward(input, block.project(golden.tensor("block.context")), row_bias,
                                        golden.tensor("block.temb"), rotary);
    EXPECT_LE(relative_error(output, expected), 1e-5) << "block " << i;
    input = expected;
  }
}

// A prompt whose padding is not zero cannot be shortened: 512 rows and no bias. It equals the short form as
// the padding goes to zero.
TEST(WanTransformer3DModel, OneRowStandsForAllThePadding) {
  const Weights golden = open_fixture(kGolden)["landscape"];
  const WanTransformer3DModel model = load_tiny();
  const Tensor prompt = padded_prompt(golden);
  const TextContext brief = model.prepare(prompt);
  const TextContext full = model.prepare(at::where(prompt == 0, 1e-30, prompt));
  EXPECT_EQ(brief.blocks[0].key.size(2), 2);
  EXPECT_EQ(full.blocks[0].key.size(2), 512);
  EXPECT_FALSE(full.row_bias.has_value());

  const auto run = [&](const TextContext& context) {
    return model.forward(golden.tensor("hidden_states"), golden.tensor("timestep"), context);
  };
  EXPECT_LE(relative_error(run(brief), run(full)), 2e-6);
}

TEST(WanTransformer3DModel, PromptsOfAllLengths) {
  const WanTransformer3DModel model = load_tiny();
  const Tensor prompt = seeded_randn({1, 512, 40}, 5);
  const auto rows = [&](int64_t n) {
    const Tensor padded = at::constant_pad_nd(prompt.slice(1, 0, n), {0, 0, 0, 512 - n});
    return model.prepare(padded).blocks[0].key.size(2);
  };
  EXPECT_EQ(rows(0), 1);
  EXPECT_EQ(rows(1), 2);
  EXPECT_EQ(rows(510), 511);
  EXPECT_EQ(rows(511), 512);
  EXPECT_EQ(rows(512), 512);
}

TEST(WanTransformer3DModel, ABatchIsItsRows) {
  const WanTransformer3DModel model = load_tiny();
  const Tensor latents = seeded_randn({1, 16, 2, 4, 6}, 3);
  const Tensor prompts = at::constant_pad_nd(seeded_randn({2, 6, 40}, 4), {0, 0, 0, 506});
  prompts[1].slice(0, 3).zero_();
  const Tensor timestep = at::tensor({500});

  const Tensor both = model.forward(latents.expand({2, -1, -1, -1, -1}), timestep, model.prepare(prompts));
  for (int i = 0; i < 2; ++i) {
    const Tensor one = model.forward(latents, timestep, model.prepare(prompts.slice(0, i, i + 1)));
    EXPECT_LE(relative_error(both.slice(0, i, i + 1), one), 2e-6);
  }
}

TEST(WanTransformer3DModel, RejectsShapesThatDoNotFit) {
  const WanTransformer3DModel model = load_tiny();
  const TextContext context = model.prepare(at::zeros({1, 512, 40}));
  const auto error = [&](const std::vector<int64_t>& shape) {
    return error_of([&] { model.forward(at::zeros(shape), at::tensor({1}), context); });
  };
  EXPECT_THAT(error({1, 16, 1, 5, 4}), HasSubstr("5 rows"));
  EXPECT_THAT(error({1, 16, 1, 4, 7}), HasSubstr("7 columns"));
  EXPECT_THAT(error({1, 16, 0, 4, 4}), HasSubstr("0 frames"));
  EXPECT_THAT(error({1, 16, 1025, 2, 2}), HasSubstr("at most 1024"));
  EXPECT_THAT(error({1, 15, 1, 4, 4}), HasSubstr("15 channels"));
  EXPECT_THAT(error_of([&] { model.prepare(at::zeros({1, 512, 41})); }), HasSubstr("width 41"));
}

TEST(RotaryEmb, SplitsTheHeadUnevenly) {
  WanTransformer3DConfig config;
  config.attention_head_dim = 128;  // 22 pairs for time, 21 for each side
  const Tensor angles = rotary_emb(config, {2, 3, 4}, at::kCPU).rotations.angle().view({2, 3, 4, 64});
  // Pairs 1, 22 + 1 and 43 + 1 of the token at (1, 2, 3).
  EXPECT_NEAR(angles[1][2][3][1].item<double>(), std::pow(10000.0, -2.0 / 44), 1e-6);
  EXPECT_NEAR(angles[1][2][3][23].item<double>(), 2 * std::pow(10000.0, -2.0 / 42), 1e-6);
  EXPECT_NEAR(angles[1][2][3][44].item<double>(), 3 * std::pow(10000.0, -2.0 / 42), 1e-6);
}

WanTransformer3DConfig config_of(const nlohmann::json& values) {
  return WanTransformer3DConfig::from_config(Config(values, "config.json"));
}

TEST(WanTransformer3DConfig, HasTheReferencesDefaults) {
  const WanTransformer3DConfig config = config_of(nlohmann::json::object());
  EXPECT_THAT(config.patch_size, ::testing::ElementsAre(1, 2, 2));
  EXPECT_EQ(config.dim(), 5120);
  EXPECT_EQ(config.num_layers, 40);
  EXPECT_EQ(config.ffn_dim, 13824);
  EXPECT_EQ(config.text_dim, 4096);
  EXPECT_TRUE(config.cross_attn_norm);
  EXPECT_EQ(config_of({{"in_channels", 48}}).out_channels, 16);
  EXPECT_EQ(config_of({{"in_channels", 48}, {"out_channels", nullptr}}).out_channels, 48);
  EXPECT_NO_THROW(config_of({{"qk_norm", nullptr}, {"image_dim", nullptr}, {"a key of tomorrow", 1}}));
}

TEST(WanTransformer3DConfig, NamesTheKeyThatIsWrong) {
  const auto error = [](const nlohmann::json& values) { return error_of([&] { config_of(values); }); };
  EXPECT_THAT(error({{"image_dim", 1280}}), HasSubstr("image-to-video"));
  EXPECT_THAT(error({{"added_kv_proj_dim", 5120}}), HasSubstr("image-to-video"));
  EXPECT_THAT(error({{"qk_norm", "layer_norm"}}), HasSubstr("qk_norm"));
  EXPECT_THAT(error({{"patch_size", {2, 2}}}), HasSubstr("patch_size"));
  EXPECT_THAT(error({{"patch_size", {1, 0, 2}}}), HasSubstr("patch_size"));
  EXPECT_THAT(error({{"attention_head_dim", 15}}), HasSubstr("attention_head_dim"));
  EXPECT_THAT(error({{"freq_dim", 3}}), HasSubstr("freq_dim"));
  EXPECT_THAT(error({{"num_layers", -1}}), HasSubstr("num_layers"));
  EXPECT_THAT(error({{"ffn_dim", "many"}}), HasSubstr("ffn_dim"));
}

TEST(WanTransformer3DModel, WorksWithoutTheCrossAttentionNorm) {
  const Weights weights = open_tiny();
  WanTransformer3DConfig config = tiny_config();
  config.cross_attn_norm = false;
  const WanTransformer3DModel model(weights, config);
  EXPECT_THAT(error_of([&] { weights.expect_all_used(); }), HasSubstr("norm2"));
}

TEST(WanTransformer3DModel, AsksForTheTensorsOfThePublishedModels) {
  for (const char* name : {"Wan2.1-T2V-1.3B", "Wan2.1-T2V-14B"}) {
    const nlohmann::json published = testing::published_model(name);
    const Weights weights = testing::hollow_checkpoint(published);
    const WanTransformer3DModel model(weights, config_of(published["config"]));
    EXPECT_EQ(error_of([&] { weights.expect_all_used(); }), "") << name;
  }
}

}  // namespace
}  // namespace t2v
