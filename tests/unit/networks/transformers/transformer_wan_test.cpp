#include "networks/transformers/transformer_wan.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "unit/published_models.h"
#include "variant.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::open_fixture;
using testing::relative_error;
using testing::Variant;

const std::filesystem::path kFolder = std::filesystem::path(T2V_FIXTURES) / "tiny-wan/transformer";
constexpr const char* kGolden = "transformers/transformer_wan.safetensors";

WanTransformer3DConfig tiny_config() {
  return WanTransformer3DConfig::from_config(Config::read(kFolder / "config.json"));
}

Weights open_tiny(at::ScalarType dtype = at::kFloat, bool fp8_matrices = false) {
  return Weights::open_folder(kFolder, "diffusion_pytorch_model",
                              {.placement = {.dtype = dtype},
                               .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32(),
                               .fp8_matrices = fp8_matrices});
}

WanTransformer3DModel load_tiny(at::ScalarType dtype = at::kFloat, bool fp8_matrices = false) {
  const Weights weights = open_tiny(dtype, fp8_matrices);
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

TEST_P(GoldenCase, InFloat16IsNearerThanInBfloat16) {
  const Weights golden = open_fixture(kGolden)[GetParam()];
  const auto distance = [&](const WanTransformer3DModel& model) {
    return relative_error(model.forward(golden.tensor("hidden_states"), golden.tensor("timestep"),
                                        model.prepare(padded_prompt(golden))),
                          golden.tensor("float32"));
  };
  const double float16 = distance(load_tiny(at::kHalf)), bfloat16 = distance(load_tiny(at::kBFloat16)),
               fp8 = distance(load_tiny(at::kBFloat16, /*fp8_matrices=*/true));
  RecordProperty("float16", std::to_string(float16));
  RecordProperty("bfloat16", std::to_string(bfloat16));
  RecordProperty("fp8", std::to_string(fp8));
  EXPECT_LE(float16, 2e-3);
  EXPECT_LT(float16, bfloat16);
  EXPECT_LE(fp8, 0.06);
  EXPECT_GT(fp8, bfloat16);
}

TEST_P(GoldenCase, InBfloat16IsNearerToFloat32ThanTheReference) {
  const Weights golden = open_fixture(kGolden)[GetParam()];
  const WanTransformer3DModel model = load_tiny(at::kBFloat16);
  const Tensor noise_pred = model.forward(golden.tensor("hidden_states"), golden.tensor("timestep"),
                                          model.prepare(padded_prompt(golden)));
  const Tensor exact = golden.tensor("float32");
  EXPECT_LE(relative_error(noise_pred, exact), relative_error(golden.tensor("bfloat16"), exact));
  EXPECT_GE(relative_error(noise_pred, exact), 1e-4);  // else it was not computed in bfloat16
}

INSTANTIATE_TEST_SUITE_P(All, GoldenCase, ::testing::Values("portrait", "landscape", "long"));

TEST(WanTransformerBlock, EveryBlockEqualsTheReference) {
  const Weights golden = open_fixture(kGolden);
  const WanTransformer3DConfig config = tiny_config();
  const RotaryEmb rotary = rotary_emb(config, {3, 4, 2}, at::kCPU);  // the portrait case
  const TimeEmbedding time{.temb = {}, .timestep_proj = golden.tensor("block.temb"), .token_rows = {}};
  // 12 rows of a prompt and the first of 500 equal ones.
  EncoderHiddenStates states{
      .text = golden.tensor("block.context"), .row_bias = at::zeros({1, 13}), .image = {}};
  (*states.row_bias)[0][12].fill_(std::log(500.0));

  Tensor input = golden.tensor("block.input");
  for (int i = 0; i < config.num_layers; ++i) {
    const WanTransformerBlock block(open_tiny()["blocks." + std::to_string(i)], config);
    const Tensor expected = golden.tensor("block." + std::to_string(i));
    const Tensor output = block.forward(input, block.project(states), time, rotary);
    EXPECT_LE(relative_error(output, expected), 1e-5) << "block " << i;
    input = expected;
  }
}

/// The kinds of checkpoints beside text-to-video.
class GoldenVariant : public ::testing::TestWithParam<const char*> {
 protected:
  WanTransformer3DModel load(at::ScalarType dtype = at::kFloat, BlockResidency residency = {}) const {
    const Weights weights = variant_.weights(dtype);
    WanTransformer3DModel model(weights, WanTransformer3DConfig::from_config(variant_.config), residency);
    weights.expect_all_used();
    return model;
  }
  Tensor run(const WanTransformer3DModel& model) const {
    return model.forward(variant_.golden.tensor("hidden_states"), variant_.golden.tensor("timestep"),
                         model.prepare(variant_.prompt_embeds(), variant_.image_embeds()));
  }

  Variant variant_{GetParam()};
};

TEST_P(GoldenVariant, EqualsTheReferenceInFloat32) {
  EXPECT_LE(relative_error(run(load()), variant_.golden.tensor("float32")), 1e-5);
}

TEST_P(GoldenVariant, InBfloat16IsNearerToFloat32ThanTheReference) {
  const Tensor noise_pred = run(load(at::kBFloat16));
  EXPECT_LE(relative_error(noise_pred, variant_.golden.tensor("float32")), variant_.bfloat16_distance());
}

TEST_P(GoldenVariant, BlocksThatAreBuiltForEachUseComputeTheSame) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const Tensor expected = run(load(dtype));
    EXPECT_TRUE(run(load(dtype, {.resident = 0})).equal(expected));
    EXPECT_TRUE(run(load(dtype, {.resident = 1, .ahead = 1})).equal(expected));
  }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenVariant,
                         ::testing::Values("image_to_video", "first_last_frame", "image_beside_text",
                                           "timestep_per_token"));

TEST(WanTransformer3DModel, OneTimestepForAllTokensIsOneForTheClip) {
  const WanTransformer3DModel model = load_tiny();
  const Tensor latents = seeded_randn({1, 16, 2, 4, 6}, 3);
  const TextContext context = model.prepare(seeded_randn({1, 512, 40}, 4));
  const Tensor clip = model.forward(latents, at::tensor({500}), context);
  EXPECT_LE(relative_error(model.forward(latents, at::full({1, 12}, 500.0), context), clip), 2e-6);
  const auto error = error_of([&] { model.forward(latents, at::full({1, 11}, 500.0), context); });
  EXPECT_THAT(error, HasSubstr("11 timesteps"));
}

TEST(WanTransformer3DModel, AnImageServesAWholeBatch) {
  for (const char* name : {"image_to_video", "image_beside_text"}) {
    const Variant variant(name);
    const WanTransformer3DModel model(variant.weights(), WanTransformer3DConfig::from_config(variant.config));
    const Tensor image = variant.image_embeds()->slice(0, 0, 1);
    const auto run = [&](const Tensor& images) {
      return model.forward(variant.golden.tensor("hidden_states"), variant.golden.tensor("timestep"),
                           model.prepare(variant.prompt_embeds(), images));
    };
    EXPECT_LE(relative_error(run(image), run(image.expand({2, -1, -1}))), 1e-6) << name;
  }
}

TEST(WanTransformer3DModel, RejectsImagesThatDoNotFit) {
  const auto error = [](const char* name, const std::optional<Tensor>& image_embeds) {
    const Variant variant(name);
    const WanTransformer3DModel model(variant.weights(), WanTransformer3DConfig::from_config(variant.config));
    return error_of([&] { model.prepare(at::zeros({1, 512, 14}), image_embeds); });
  };
  EXPECT_EQ(error("image_to_video", at::zeros({1, 5, 22})), "");
  EXPECT_THAT(error("image_to_video", std::nullopt), HasSubstr("no image"));
  EXPECT_THAT(error("image_to_video", at::zeros({1, 5, 23})), HasSubstr("width 23"));
  EXPECT_THAT(error("image_to_video", at::zeros({2, 5, 22})), HasSubstr("no last image"));
  EXPECT_THAT(error("first_last_frame", at::zeros({1, 5, 22})), HasSubstr("a first and a last"));
  EXPECT_THAT(error("first_last_frame", at::zeros({2, 4, 22})), HasSubstr("4 rows"));
  EXPECT_THAT(error("timestep_per_token", at::zeros({1, 5, 22})), HasSubstr("no image"));
}

// A prompt whose padding is not zero cannot be shortened: 512 rows and no bias. It equals the short form as
// the padding goes to zero.
TEST(WanTransformer3DModel, OneRowStandsForAllThePadding) {
  const Weights golden = open_fixture(kGolden)["landscape"];
  const WanTransformer3DModel model = load_tiny();
  const Tensor prompt = padded_prompt(golden);
  const TextContext brief = model.prepare(prompt);
  const TextContext full = model.prepare(at::where(prompt == 0, 1e-30, prompt));
  EXPECT_EQ(brief.blocks[0].text.key.size(1), 2);
  EXPECT_EQ(full.blocks[0].text.key.size(1), 512);
  EXPECT_FALSE(full.blocks[0].text.row_bias.has_value());

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
    return model.prepare(padded).blocks[0].text.key.size(1);
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

TEST(WanTransformer3DModel, WorksWithoutTheCrossAttentionNorm) {
  const Weights weights = open_tiny();
  WanTransformer3DConfig config = tiny_config();
  config.cross_attn_norm = false;
  const WanTransformer3DModel model(weights, config);
  EXPECT_THAT(error_of([&] { weights.expect_all_used(); }), HasSubstr("norm2"));
}

TEST(WanTransformer3DModel, AsksForTheTensorsOfThePublishedModels) {
  for (const char* name : {"Wan2.1-T2V-1.3B", "Wan2.1-T2V-14B", "Wan2.1-I2V-14B", "Wan2.1-FLF2V-14B",
                           "Wan2.2-I2V-A14B", "Wan2.2-TI2V-5B"}) {
    const nlohmann::json published = testing::published_model(name);
    const Weights weights = testing::hollow_checkpoint(published);
    const WanTransformer3DModel model(weights,
                                      WanTransformer3DConfig::from_config(Config(published["config"], name)));
    EXPECT_EQ(error_of([&] { weights.expect_all_used(); }), "") << name;
  }
}

}  // namespace
}  // namespace t2v
