// AutoencoderKLWan of the Wan2.2 kind, against the reference.
#include <gtest/gtest.h>

#include "networks/autoencoders/autoencoder_kl_wan.h"
#include "networks/autoencoders/wan_residual_blocks.h"
#include "unit/tensors.h"

namespace t2v {
namespace {

using testing::relative_error;

AutoencoderKLWan load_tiny() {
  const auto folder = std::filesystem::path(T2V_FIXTURES) / "autoencoders/tiny-wan2.2";
  const Weights weights = Weights::open_folder(folder, "diffusion_pytorch_model", {});
  AutoencoderKLWan vae(weights, AutoencoderKLWanConfig::from_config(Config::read(folder / "config.json")),
                       AutoencoderKLWan::Parts::kEncoderAndDecoder);
  weights.expect_all_used();
  return vae;
}

Weights golden() { return testing::open_fixture("autoencoders/wan2.2.safetensors"); }

std::vector<Tensor> decoded(const AutoencoderKLWan& vae, const Tensor& latents) {
  std::vector<Tensor> chunks;
  vae.decode(latents, [&](const Tensor& chunk) { chunks.push_back(chunk); });
  return chunks;
}

class Wan22Decode : public ::testing::TestWithParam<int64_t> {};

TEST_P(Wan22Decode, EqualsTheReferenceChunkByChunk) {
  const int64_t count = GetParam();
  const std::vector<Tensor> chunks = decoded(load_tiny(), golden().tensor("latents").narrow(2, 0, count));
  ASSERT_EQ(static_cast<int64_t>(chunks.size()), count);
  for (int64_t i = 0; i < count; ++i) EXPECT_EQ(chunks[i].size(2), i == 0 ? 1 : 4);
  const Tensor expected = golden().tensor("frames").narrow(2, 0, 1 + 4 * (count - 1));
  EXPECT_LE(relative_error(at::cat(chunks, 2), expected), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(LatentFrames, Wan22Decode, ::testing::Values(1, 2, 3, 5));

TEST(Wan22Vae, DecodesATallClip) {
  const Tensor actual = at::cat(decoded(load_tiny(), golden().tensor("tall_latents")), 2);
  EXPECT_LE(relative_error(actual, golden().tensor("tall_frames")), 1e-5);
}

TEST(Wan22Vae, DecodesLargeFramesOneByOneTheSame) {
  const auto folder = std::filesystem::path(T2V_FIXTURES) / "autoencoders/tiny-wan2.2";
  const Weights weights = Weights::open_folder(folder, "diffusion_pytorch_model", {})["decoder"];
  const auto config = AutoencoderKLWanConfig::from_config(Config::read(folder / "config.json"));
  const WanDecoder3d together(weights, config), one_by_one(weights, config, /*large_frame=*/0);
  FeatureCache cache, other_cache;
  for (uint64_t chunk = 0; chunk < 3; ++chunk) {
    const Tensor x = seeded_randn({1, 4, 2, 3}, chunk).contiguous(at::MemoryFormat::ChannelsLast);
    const Tensor expected = together.forward(x, cache);
    EXPECT_LE(relative_error(one_by_one.forward(x, other_cache), expected), 1e-6);
  }
}

class Wan22Encode : public ::testing::TestWithParam<int64_t> {};

TEST_P(Wan22Encode, EqualsTheReference) {
  const int64_t count = GetParam();
  const Tensor actual = load_tiny().encode(golden().tensor("video").narrow(2, 0, count));
  const Tensor expected = golden().tensor("mean_" + std::to_string(count));
  ASSERT_EQ(actual.sizes(), expected.sizes());
  EXPECT_LE(relative_error(actual, expected), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Frames, Wan22Encode, ::testing::Values(1, 5, 9, 17));

TEST(Wan22Vae, TiledEqualsTheReference) {
  const AutoencoderKLWan vae = load_tiny();
  const VaeTiling tiling{.tile = 32, .stride = 16};
  std::vector<Tensor> chunks;
  vae.decode(golden().tensor("tiled_latents"), tiling, [&](const Tensor& chunk) { chunks.push_back(chunk); });
  EXPECT_LE(relative_error(at::cat(chunks, 2), golden().tensor("tiled_frames")), 1e-5);
  EXPECT_LE(
      relative_error(vae.encode(golden().tensor("tiled_frames"), tiling), golden().tensor("tiled_mean")),
      1e-5);
}

/// [1, c, t, h, w] -> [t, c, h, w], channels last.
Tensor frames_of(const Tensor& video) {
  return video[0].transpose(0, 1).contiguous(at::MemoryFormat::ChannelsLast);
}

TEST(WanResidualBlocks, AverageDownEqualsAvgDown3D) {
  const Tensor actual = average_down(frames_of(golden().tensor("shortcut_input")), 4, 2, 2);
  EXPECT_LE(relative_error(actual, frames_of(golden().tensor("averaged"))), 1e-6);
}

TEST(WanResidualBlocks, AddRepeatedEqualsDupUp3D) {
  const Tensor x = frames_of(golden().tensor("shortcut_input"));
  const Tensor expected = frames_of(golden().tensor("repeated"));
  Tensor sum = at::zeros_like(expected);
  add_repeated(sum, x, 2, /*last_step_only=*/false);
  EXPECT_TRUE(at::equal(sum, expected));

  const Tensor expected_first = frames_of(golden().tensor("repeated_first"));
  sum = at::ones_like(expected_first);
  add_repeated(sum, x.narrow(0, 0, 1), 2, /*last_step_only=*/true);
  EXPECT_TRUE(at::equal(sum, expected_first + 1));
}

}  // namespace
}  // namespace t2v
