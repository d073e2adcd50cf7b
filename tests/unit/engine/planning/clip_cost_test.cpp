#include "engine/planning/clip_cost.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/interface/bench_cases.h"
#include "engine/planning/vae_memory.h"
#include "unit/published_models.h"

namespace t2v {
namespace {

constexpr double kTera = 1e12, kGiB = 1 << 30;
constexpr ClipShape kSmall{.num_frames = 81, .height = 480, .width = 832};
constexpr ClipShape kLarge{.num_frames = 81, .height = 720, .width = 1280};

WanTransformer3DConfig published(const std::string& name) {
  return WanTransformer3DConfig::from_config(Config(testing::published_model(name)["config"], name));
}

AutoencoderKLWanConfig wan21_vae() {
  return AutoencoderKLWanConfig::from_config(Config(nlohmann::json::object(), "vae"));
}

AutoencoderKLWanConfig wan22_vae() {
  return AutoencoderKLWanConfig::from_config(Config(bench_config("vae.2.2"), "vae"));
}

// The figures of the literature, rounded as published.
TEST(ClipCost, CountsTheWorkOfPublishedModels) {
  const ForwardFlops small = forward_flops(published("Wan2.1-T2V-1.3B"), 32760);
  EXPECT_NEAR(small.linear / kTera, 82, 1);
  EXPECT_NEAR(small.attention / kTera, 201, 1);
  const ForwardFlops large = forward_flops(published("Wan2.1-T2V-14B"), 75600);
  EXPECT_NEAR(large.linear / kTera, 1810, 5);
  EXPECT_NEAR(large.attention / kTera, 4714, 5);
  UMT5Config xxl;
  xxl.d_model = 4096;
  xxl.d_ff = 10240;
  xxl.num_layers = 24;
  xxl.num_heads = 64;
  EXPECT_NEAR(text_flops(xxl, 512) / kTera, 4.8, 0.1);
  EXPECT_NEAR(decode_flops(wan21_vae(), kSmall) / kTera, 276, 3);
  EXPECT_NEAR(decode_flops(wan22_vae(), {.num_frames = 121, .height = 704, .width = 1280}) / kTera, 2012, 20);
}

TEST(ClipCost, CountsTheZerosBeforeTheFirstFrame) {
  // Of the middle of the decoder of one frame a third of each causal convolution is computed.
  const ClipShape one{.num_frames = 1, .height = 64, .width = 64};
  const double all = decode_flops(wan21_vae(), one), zeros = decode_zero_flops(wan21_vae(), one);
  EXPECT_GT(zeros, 0.6 * all);
  EXPECT_LT(zeros, 2.0 / 3 * all);
  // As many of a longer clip, or a third of a frame more at each of its sizes.
  const double longer = decode_zero_flops(wan21_vae(), {.num_frames = 81, .height = 64, .width = 64});
  EXPECT_GT(longer, zeros);
  EXPECT_LT(longer, 1.51 * zeros);
}

// No figure is published: counted by hand from the shapes of its layers.
TEST(ClipCost, CountsTheWorkOfEncoding) {
  const double frame = encode_flops(wan21_vae(), {.num_frames = 1, .height = 480, .width = 832});
  const double clip = encode_flops(wan21_vae(), kSmall);
  EXPECT_GT(frame, 1.5 * kTera);
  EXPECT_LT(frame, 4 * kTera);
  // Of the 81 frames 41 and 21 are left behind the layers that halve them.
  EXPECT_GT(clip, 50 * frame);
  EXPECT_LT(clip, 81 * frame);
  CLIPVisionConfig huge;
  huge.hidden_size = 1280;
  huge.intermediate_size = 5120;
  huge.num_hidden_layers = 32;
  huge.patch_size = 14;
  EXPECT_NEAR(image_flops(huge) / kTera, 0.32, 0.03);
}

TEST(EncodeMemory, IsThatOfAFewFrames) {
  const double frame = encode_bytes(wan21_vae(), {1, 480, 832}, gpu_allocation());
  const double clip = encode_bytes(wan21_vae(), {81, 480, 832}, gpu_allocation());
  EXPECT_EQ(clip, encode_bytes(wan21_vae(), {17, 480, 832}, gpu_allocation()));
  // Four convolutions remember four frames of 480x832x96 floats each, and some tensors are as large.
  EXPECT_GT(clip, 7 * 4 * 480.0 * 832 * 96 * 4);
  EXPECT_LT(clip, 14 * 4 * 480.0 * 832 * 96 * 4);
  EXPECT_LT(frame, clip / 3);
  EXPECT_LT(encode_bytes(wan21_vae(), {81, 480, 832}, gpu_allocation(), 256), clip / 3);
  EXPECT_GT(encode_bytes(wan22_vae(), {121, 704, 1280}, gpu_allocation()), 2 * kGiB);
}

TEST(DecodeMemory, DoesNotGrowWithLength) {
  const double few = decode_bytes(wan21_vae(), {17, 480, 832}, gpu_allocation());
  const double many = decode_bytes(wan21_vae(), {801, 480, 832}, gpu_allocation());
  EXPECT_EQ(few, many);
  // Three residual blocks of two convolutions that remember two frames of 480x832x96 floats: 1.7 GiB of it.
  EXPECT_GT(many, 3.5 * kGiB);
  EXPECT_LT(many, 6 * kGiB);
}

TEST(DecodeMemory, GrowsWithTheFrameAndNotWithTiles) {
  const double small = decode_bytes(wan21_vae(), kSmall, gpu_allocation());
  const double large = decode_bytes(wan21_vae(), kLarge, gpu_allocation());
  EXPECT_NEAR(large / small, 1280.0 * 720 / (832 * 480), 0.05);
  EXPECT_EQ(decode_bytes(wan21_vae(), kLarge, gpu_allocation(), 256),
            decode_bytes(wan21_vae(), kSmall, gpu_allocation(), 256));
  EXPECT_LT(decode_bytes(wan21_vae(), kLarge, gpu_allocation(), 256), small / 3);
}

}  // namespace
}  // namespace t2v
