#include "families/wan/autoencoder_kl_wan_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "t2v/error.h"

namespace t2v {
namespace {

AutoencoderKLWanConfig parse(const char* json) {
  return AutoencoderKLWanConfig::from_config(Config(nlohmann::json::parse(json), "vae/config.json"));
}

TEST(AutoencoderKLWanConfig, MissingKeysTakeTheClassDefaults) {
  const AutoencoderKLWanConfig config = parse(R"({"clip_output": false, "decoder_base_dim": null})");
  EXPECT_EQ(config.base_dim, 96);
  EXPECT_EQ(config.decoder_base_dim, 96);
  EXPECT_EQ(config.z_dim, 16);
  EXPECT_EQ(config.dim_mult, (std::vector<int64_t>{1, 2, 4, 4}));
  EXPECT_EQ(config.num_res_blocks, 2);
  EXPECT_EQ(config.temperal_downsample, (std::vector<bool>{false, true, true}));
  EXPECT_EQ(config.latents_mean.size(), 16U);
  EXPECT_EQ(config.latents_std[15], 1.9160);
  EXPECT_EQ(config.scale_factor_temporal, 4);
  EXPECT_EQ(config.scale_factor_spatial, 8);
  EXPECT_FALSE(config.is_residual);
  EXPECT_EQ(config.patch_size, 1);
}

TEST(AutoencoderKLWanConfig, ReadsEveryKey) {
  const AutoencoderKLWanConfig config = parse(R"({"base_dim": 10, "decoder_base_dim": 14, "z_dim": 2,
    "dim_mult": [1, 3, 2], "num_res_blocks": 1, "temperal_downsample": [true, false], "latents_mean": [1, 2],
    "latents_std": [3, 4], "in_channels": 4, "out_channels": 5, "scale_factor_temporal": 2,
    "scale_factor_spatial": 4, "attn_scales": [], "is_residual": false, "patch_size": null})");
  EXPECT_EQ(config.encoder_channels(1), 30);
  EXPECT_EQ(config.decoder_channels(2), 28);
  EXPECT_EQ(config.latents_std[1], 4.0);
  EXPECT_EQ(config.out_channels, 5);
}

TEST(AutoencoderKLWanConfig, ReadsTheWan22Layout) {
  const AutoencoderKLWanConfig config = parse(R"({"base_dim": 160, "decoder_base_dim": 256, "z_dim": 1,
    "latents_mean": [0], "latents_std": [1], "is_residual": true, "in_channels": 12, "out_channels": 12,
    "patch_size": 2, "scale_factor_spatial": 16, "clip_output": false})");
  EXPECT_TRUE(config.is_residual);
  EXPECT_EQ(config.patch_size, 2);
  EXPECT_EQ(config.in_channels, 12);
  EXPECT_EQ(config.scale_factor_spatial, 16);
  EXPECT_FALSE(config.temporal(0));
  EXPECT_TRUE(config.temporal(2));
  EXPECT_FALSE(config.temporal(3));
}

struct BadConfig {
  const char* json;
  const char* message;
};

class BadConfigs : public ::testing::TestWithParam<BadConfig> {};

TEST_P(BadConfigs, AreInputErrorsThatNameTheKey) {
  try {
    parse(GetParam().json);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.what(), ::testing::HasSubstr(GetParam().message));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BadConfigs,
    ::testing::Values(
        BadConfig{R"({"attn_scales": [0.5]})", "attn_scales"},
        BadConfig{R"({"is_residual": 1})", "is_residual"}, BadConfig{R"({"patch_size": 0})", "patch_size"},
        BadConfig{R"({"patch_size": 2})", "in_channels"},
        BadConfig{R"({"patch_size": 2, "in_channels": 12})", "out_channels"},
        BadConfig{R"({"patch_size": 2, "in_channels": 12, "out_channels": 12})", "scale_factor_spatial"},
        BadConfig{R"({"is_residual": true, "dim_mult": [1, 2, 4, 5]})", "dim_mult"},
        BadConfig{R"({"is_residual": true, "dim_mult": [3, 1, 1, 1]})", "dim_mult"},
        BadConfig{R"({"is_residual": true, "dim_mult": [1, 9, 9, 9]})", "dim_mult"},
        BadConfig{R"({"attn_scales": "none"})", "attn_scales"}, BadConfig{R"({"base_dim": -1})", "base_dim"},
        BadConfig{R"({"base_dim": 1000000})", "base_dim"}, BadConfig{R"({"z_dim": "16"})", "z_dim"},
        BadConfig{R"({"z_dim": 4})", "latents_mean"}, BadConfig{R"({"dim_mult": []})", "dim_mult"},
        BadConfig{R"({"dim_mult": [1, 0, 4, 4]})", "dim_mult"},
        BadConfig{R"({"dim_mult": [1, 70000, 4, 4]})", "dim_mult"},
        BadConfig{R"({"dim_mult": [1, 1, 1, 1, 1, 1, 1, 1, 1]})", "dim_mult"},
        BadConfig{R"({"decoder_base_dim": 1, "dim_mult": [1, 1, 1, 4]})", "dim_mult"},
        BadConfig{R"({"temperal_downsample": [true, true]})", "temperal_downsample"},
        BadConfig{R"({"temperal_downsample": [false, false, true]})", "scale_factor_temporal"},
        BadConfig{R"({"dim_mult": [1, 2, 4]})", "scale_factor_temporal"},
        BadConfig{R"({"scale_factor_spatial": 16})", "scale_factor_spatial"},
        BadConfig{R"({"latents_std": [1, 2]})", "latents_std"},
        BadConfig{R"({"latents_std": [0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]})", "latents_std"}));

}  // namespace
}  // namespace t2v
