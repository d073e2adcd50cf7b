#include "networks/autoencoders/vae_tiling.h"

#include <gtest/gtest.h>

#include "networks/autoencoders/autoencoder_kl_wan.h"
#include "unit/tensors.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::relative_error;

AutoencoderKLWan load_tiny() {
  const auto folder = std::filesystem::path(T2V_FIXTURES) / "tiny-wan/vae";
  return AutoencoderKLWan(Weights::open_folder(folder, "diffusion_pytorch_model", {}),
                          AutoencoderKLWanConfig::from_config(Config::read(folder / "config.json")),
                          AutoencoderKLWan::Parts::kEncoderAndDecoder);
}

std::vector<Tensor> decoded(const AutoencoderKLWan& vae, const Tensor& latents, const VaeTiling& tiling) {
  std::vector<Tensor> chunks;
  vae.decode(latents, tiling, [&](const Tensor& chunk) { chunks.push_back(chunk); });
  return chunks;
}

TEST(VaeTiling, EqualsTheReference) {
  const Weights golden = testing::open_fixture("autoencoders/tiled.safetensors");
  const AutoencoderKLWan vae = load_tiny();
  std::vector<int64_t> progress;
  const VaeTiling tiling{.tile = 32, .stride = 24, .on_progress = [&](int64_t done, int64_t total) {
                           EXPECT_EQ(total, 12);  // 2 x 3 tiles of two latent frames
                           progress.push_back(done);
                         }};
  const std::vector<Tensor> chunks = decoded(vae, golden.tensor("latents"), tiling);
  ASSERT_EQ(chunks.size(), 2U);
  EXPECT_EQ(chunks[0].size(2), 1);
  EXPECT_LE(relative_error(at::cat(chunks, 2), golden.tensor("frames")), 1e-5);
  EXPECT_EQ(progress.size(), 12U);
  EXPECT_EQ(progress.back(), 12);

  const Tensor mean = vae.encode(golden.tensor("frames"), VaeTiling{.tile = 32, .stride = 24});
  EXPECT_LE(relative_error(mean, golden.tensor("mean")), 1e-5);
}

TEST(VaeTiling, DefaultTilesAreTheReferences) {
  const Weights golden = testing::open_fixture("autoencoders/tiled.safetensors");
  const Tensor actual = at::cat(decoded(load_tiny(), golden.tensor("wide_latents"), {}), 2);
  EXPECT_LE(relative_error(actual, golden.tensor("wide_frames")), 1e-5);
  // Tiles are not the whole: the test can tell them apart.
  EXPECT_GE(relative_error(actual, golden.tensor("wide_whole")), 1e-3);
}

TEST(VaeTiling, WhatFitsIntoOneTileIsDecodedWhole) {
  const Weights golden = testing::open_fixture("autoencoders/decode.safetensors");
  const AutoencoderKLWan vae = load_tiny();
  const Tensor actual = at::cat(decoded(vae, golden.tensor("latents"), {}), 2);
  EXPECT_LE(relative_error(actual, golden.tensor("frames")), 1e-5);
}

TEST(VaeTiling, RefusesTilesThatDoNotFitTheLatents) {
  const AutoencoderKLWan vae = load_tiny();
  const auto refused = [&](const VaeTiling& tiling) {
    return error_of([&] { vae.decode(at::zeros({1, 16, 1, 9, 9}), tiling, [](const Tensor&) {}); });
  };
  EXPECT_THAT(refused({.tile = 36, .stride = 24}), HasSubstr("multiples of the VAE's factor, 8"));
  EXPECT_THAT(refused({.tile = 32, .stride = 0}), HasSubstr("every 0"));
  EXPECT_THAT(refused({.tile = 32, .stride = 40}), HasSubstr("every 40"));
}

}  // namespace
}  // namespace t2v
