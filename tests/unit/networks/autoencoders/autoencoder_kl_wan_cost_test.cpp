#include "networks/autoencoders/autoencoder_kl_wan_cost.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "unit/run_costs.h"

namespace t2v {
namespace {

constexpr double kTera = 1e12, kGiB = 1 << 30;
constexpr ClipShape kSmall{.num_frames = 81, .height = 480, .width = 832};
constexpr ClipShape kLarge{.num_frames = 81, .height = 720, .width = 1280};

AutoencoderKLWanConfig vae_config(const nlohmann::json& values) {
  return AutoencoderKLWanConfig::from_config(Config(values, "vae"));
}
AutoencoderKLWanConfig wan21_vae() { return vae_config(nlohmann::json::object()); }
AutoencoderKLWanConfig wan22_vae(int64_t base_dim = 160, int64_t decoder_base_dim = 256) {
  return vae_config({{"base_dim", base_dim},
                     {"decoder_base_dim", decoder_base_dim},
                     {"z_dim", 48},
                     {"is_residual", true},
                     {"in_channels", 12},
                     {"out_channels", 12},
                     {"patch_size", 2},
                     {"scale_factor_spatial", 16},
                     {"latents_mean", std::vector<double>(48, 0)},
                     {"latents_std", std::vector<double>(48, 1)}});
}

/// A small VAE, and a clip of more latent frames than steady work begins with.
struct Run {
  const char* name;
  AutoencoderKLWanConfig config;
  ClipShape clip;
};

class VaeCostTest : public ::testing::TestWithParam<Run> {
 protected:
  VaeCostTest() : config_(GetParam().config), clip_(GetParam().clip) {
    TensorList list;
    constexpr auto kAll = AutoencoderKLWan::Parts::kEncoderAndDecoder;
    AutoencoderKLWan(Weights::record(list), config_, kAll);
    vae_.emplace(testing::random_weights(list), config_, kAll);
  }

  AutoencoderKLWanConfig config_;
  ClipShape clip_;
  std::optional<AutoencoderKLWan> vae_;
};

TEST_P(VaeCostTest, IsTheCostOfDecoding) {
  const int64_t frames = (clip_.num_frames - 1) / config_.scale_factor_temporal + 1;
  const int64_t height = clip_.height / config_.scale_factor_spatial;
  const int64_t width = clip_.width / config_.scale_factor_spatial;
  testing::expect_cost(decode_cost(config_, clip_, {}), [&] {
    vae_->decode(at::ones({1, config_.z_dim, frames, height, width}), [](const Tensor&) {});
  });
}

TEST_P(VaeCostTest, IsTheCostOfEncoding) {
  testing::expect_cost(encode_cost(config_, clip_, {}), [&] {
    vae_->encode({clip_.num_frames, clip_.height, clip_.width, [&](int64_t, int64_t count) {
                    return at::ones({1, 3, count, clip_.height, clip_.width});
                  }});
  });
}

INSTANTIATE_TEST_SUITE_P(
    All, VaeCostTest,
    ::testing::Values(
        Run{"Wan21", vae_config({{"base_dim", 16}, {"num_res_blocks", 1}}), {21, 64, 64}},
        Run{"Longer", vae_config({{"base_dim", 16}, {"num_res_blocks", 1}}), {37, 64, 64}},
        // Frames that go through the last levels one by one.
        Run{"LargeFrames", vae_config({{"base_dim", 16}, {"num_res_blocks", 1}}), {21, 128, 128}},
        Run{"Wan22", wan22_vae(16, 24), {21, 64, 64}}),
    [](const auto& run) { return run.param.name; });

// The plain formulas have 276 and 2012: of an upsampling convolution this is 4 parts of 9, without the zeros
// before the first frame.
TEST(VaeCost, IsKnownOfPublishedModels) {
  EXPECT_NEAR(decode_cost(wan21_vae(), kSmall, {}).flops / kTera, 259, 3);
  EXPECT_NEAR(decode_cost(wan22_vae(), {.num_frames = 121, .height = 704, .width = 1280}, {}).flops / kTera,
              1843, 20);
}

TEST(VaeCost, OfEncodingIsThatOfItsLayers) {
  const Cost frame = encode_cost(wan21_vae(), {.num_frames = 1, .height = 480, .width = 832}, {});
  const Cost clip = encode_cost(wan21_vae(), kSmall, {});
  EXPECT_GT(clip.flops, 50 * frame.flops);
  EXPECT_LT(frame.flops, 4 * kTera);
}

TEST(VaeCost, MemoryOfEncodingIsThatOfAFewFrames) {
  const Allocation gpu = gpu_allocation();
  const double frame = encode_cost(wan21_vae(), {1, 480, 832}, gpu).peak_bytes;
  const double clip = encode_cost(wan21_vae(), {81, 480, 832}, gpu).peak_bytes;
  // Four convolutions remember four frames of 480x832x96 floats each, and some tensors are as large.
  EXPECT_GT(clip, 7 * 4 * 480.0 * 832 * 96 * 4);
  EXPECT_LT(clip, 14 * 4 * 480.0 * 832 * 96 * 4);
  EXPECT_LT(frame, clip / 3);
  EXPECT_LT(encode_cost(wan21_vae(), {81, 256, 256}, gpu).peak_bytes, clip / 3);
  EXPECT_GT(encode_cost(wan22_vae(), {121, 704, 1280}, gpu).peak_bytes, 2 * kGiB);
}

TEST(VaeCost, MemoryOfDecodingIsThatOfAFewFrames) {
  const double many = decode_cost(wan21_vae(), {801, 480, 832}, gpu_allocation()).peak_bytes;
  // Three residual blocks of two convolutions that remember two frames of 480x832x96 floats: 1.7 GiB of it.
  EXPECT_GT(many, 3.5 * kGiB);
  EXPECT_LT(many, 6 * kGiB);
}

TEST(VaeCost, MemoryOfDecodingGrowsWithTheFrame) {
  const double small = decode_cost(wan21_vae(), kSmall, gpu_allocation()).peak_bytes;
  const double large = decode_cost(wan21_vae(), kLarge, gpu_allocation()).peak_bytes;
  EXPECT_NEAR(large / small, 1280.0 * 720 / (832 * 480), 0.05);
  EXPECT_LT(decode_cost(wan21_vae(), {81, 256, 256}, gpu_allocation()).peak_bytes, small / 3);
}

}  // namespace
}  // namespace t2v
