#include <gtest/gtest.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/checks.h"
#include "api/data_folder.h"
#include "api/presets.h"

namespace t2v {
namespace {

Checkpoint tiny_wan() { return Checkpoint::open({.model = T2V_FIXTURES "/tiny-wan"}); }

/// The files of configs/, and for each a transformer and a name that it is for.
struct Published {
  const char* file;
  nlohmann::json transformer;
  std::string pipeline = "WanPipeline";
  bool two_experts = false, expand_timesteps = false;
  std::string name = "model";
};

class PresetTest : public ::testing::TestWithParam<Published> {};

TEST_P(PresetTest, IsFoundByWhatTheCheckpointIs) {
  const Published& published = GetParam();
  const Config shipped = Config::read(data_folder() / "configs" / published.file);
  Checkpoint checkpoint = tiny_wan();
  checkpoint.components.at("transformer").config = Config(published.transformer, "test");
  if (published.two_experts) checkpoint.components.emplace("transformer_2", checkpoint.get("transformer"));
  checkpoint.index =
      Config({{"_class_name", published.pipeline}, {"expand_timesteps", published.expand_timesteps}}, "test");
  const Config preset = find_preset(checkpoint, {.model = published.name});
  const CheckedSize size = check_size({}, preset, checkpoint);
  const CheckedSampling sampling = check_sampling({}, preset, checkpoint);
  EXPECT_EQ(size.width, shipped.integer("width", 0));
  EXPECT_EQ(size.num_frames, shipped.integer("num_frames", 0));
  EXPECT_EQ(sampling.num_inference_steps, shipped.integer("num_inference_steps", 0));
  EXPECT_EQ(sampling.guidance_scale, shipped.number("guidance_scale", 0));
  EXPECT_EQ(sampling.flow_shift, shipped.number("flow_shift", 3.0));
  EXPECT_EQ(sampling.sampler, shipped.text("sampler", "unipc"));
  EXPECT_EQ(sampling.sigmas, shipped.numbers("sigmas", {}));
  EXPECT_EQ(sampling.guidance_scale_2.value_or(0), shipped.number("guidance_scale_2", 0));
  EXPECT_EQ(sampling.boundary_ratio.value_or(0), shipped.number("boundary_ratio", 0));
  EXPECT_EQ(preset.text("negative_prompt", ""), shipped.text("negative_prompt", ""));
}

nlohmann::json transformer(int64_t heads, int64_t layers, int64_t channels, const nlohmann::json& more = {}) {
  nlohmann::json config = {{"num_attention_heads", heads},
                           {"num_layers", layers},
                           {"in_channels", channels},
                           {"out_channels", 16}};
  config.update(more.is_null() ? nlohmann::json::object() : more);
  return config;
}

const nlohmann::json kSeesImages = {{"image_dim", 1280}, {"pos_embed_seq_len", nullptr}};
const nlohmann::json kSeesTwoImages = {{"image_dim", 1280}, {"pos_embed_seq_len", 514}};
const std::string kI2V = "WanImageToVideoPipeline", kVACE = "WanVACEPipeline";

INSTANTIATE_TEST_SUITE_P(
    Published, PresetTest,
    ::testing::Values(Published{"wan2.1-t2v-1.3b.json", transformer(12, 30, 16)},
                      Published{"wan2.1-t2v-14b.json", transformer(40, 40, 16)},
                      Published{"wan2.1-i2v-14b-480p.json", transformer(40, 40, 36, kSeesImages), kI2V},
                      Published{"wan2.1-i2v-14b-720p.json", transformer(40, 40, 36, kSeesImages), kI2V, false,
                                false, "Wan2.1-I2V-14B-720P-Diffusers"},
                      Published{"wan2.1-flf2v-14b-720p.json", transformer(40, 40, 36, kSeesTwoImages), kI2V},
                      Published{"wan2.1-vace-1.3b.json", transformer(12, 30, 16), kVACE},
                      Published{"wan2.1-vace-14b.json", transformer(40, 40, 16), kVACE},
                      Published{"wan2.2-t2v-a14b.json", transformer(40, 40, 16), "WanPipeline", true},
                      Published{"wan2.2-i2v-a14b.json", transformer(40, 40, 36), kI2V, true},
                      Published{"wan2.2-ti2v-5b.json", transformer(24, 30, 48), "WanPipeline", false, true},
                      Published{"wan2.1-t2v-14b-distilled.json", transformer(40, 40, 16), "WanPipeline",
                                false, false, "Wan2.1-T2V-14B-StepDistill-CfgDistill-Lightx2v"},
                      Published{"wan2.1-i2v-14b-distilled.json", transformer(40, 40, 36, kSeesImages), kI2V,
                                false, false, "Wan2.1-I2V-14B-720P-StepDistill"},
                      Published{"wan2.2-t2v-a14b-distilled.json", transformer(40, 40, 16), "WanPipeline",
                                true, false, "Wan2.2-Lightning"},
                      Published{"wan2.2-i2v-a14b-distilled.json", transformer(40, 40, 36), kI2V, true, false,
                                "Wan2.2-I2V-A14B-4step"},
                      Published{"wan2.1-vace-14b-distilled.json", transformer(40, 40, 16), kVACE, false,
                                false, "Wan2.1-VACE-14B-lightx2v"},
                      Published{"wan2.1-vace-1.3b-distilled.json", transformer(12, 30, 16), kVACE, false,
                                false, "Wan2.1_T2V_1.3B_SelfForcing_VACE"},
                      Published{"fastwan2.1-t2v-1.3b.json", transformer(12, 30, 16), "WanPipeline", false,
                                false, "FastWan2.1-T2V-1.3B-Diffusers"},
                      Published{"fastwan2.2-ti2v-5b.json", transformer(24, 30, 48), "WanPipeline", false,
                                true, "FastWan2.2-TI2V-5B"},
                      Published{"default.json", transformer(3, 3, 16)}),
    [](const auto& each) {
      std::string name = each.param.file;
      std::replace_if(
          name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
      return name;
    });

TEST(Presets, ADistilledModelIsKnownByTheNameOfItsLora) {
  Checkpoint checkpoint = tiny_wan();
  checkpoint.components.at("transformer").config = Config(transformer(40, 40, 16), "test");
  const ModelChoice model{
      .model = "model", .loras = {{"loras/Wan21_T2V_14B_lightx2v_cfg_step_distill_lora_rank32.safetensors"}}};
  const CheckedSampling sampling = check_sampling({}, find_preset(checkpoint, model), checkpoint);
  EXPECT_EQ(sampling.num_inference_steps, 4);
  EXPECT_EQ(sampling.sigmas.size(), 4U);
  EXPECT_EQ(sampling.guidance_scale, 1.0);
}

TEST(Presets, FoldersOnTheWayToAModelDoNotMakeItDistilled) {
  Checkpoint checkpoint = tiny_wan();
  checkpoint.components.at("transformer").config = Config(transformer(40, 40, 16), "test");
  const auto steps_of = [&](const char* model) {
    return check_sampling({}, find_preset(checkpoint, {.model = model}), checkpoint).num_inference_steps;
  };
  EXPECT_EQ(steps_of("/home/lightning/distilled/Wan2.1-T2V-14B/"), 50);
  EXPECT_EQ(steps_of("hub/models--lightx2v--Wan2.1-T2V-14B/snapshots/0123"), 4);
}

}  // namespace
}  // namespace t2v
