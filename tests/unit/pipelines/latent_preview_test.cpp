#include "pipelines/latent_preview.h"

#include <filesystem>
#include <limits>

#include <gtest/gtest.h>

#include "core/config.h"
#include "pipelines/pixels.h"
#include "t2v/error.h"
#include "weights/weights.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

AutoencoderKLWan open_vae(const fs::path& folder) {
  const Weights weights =
      Weights::open_folder(folder, "diffusion_pytorch_model", {.placement = {}, .keep_in_fp32 = {}});
  return {weights, AutoencoderKLWanConfig::from_config(Config::read(folder / "config.json")),
          AutoencoderKLWan::Parts::kEncoderAndDecoder};
}

AutoencoderKLWan bundled_vae() { return open_vae(fs::path(T2V_FIXTURES) / "../../models/tiny-world/vae"); }

/// A sky over a ground, and a red disc that moves: [1, 3, frames, 64, 96] in [-1, 1].
Tensor moving_disc(int64_t frames) {
  const Tensor y = at::arange(64, at::kFloat).view({1, 64, 1}),
               x = at::arange(96, at::kFloat).view({1, 1, 96});
  const Tensor center = 24 + 4 * at::arange(frames, at::kFloat).view({frames, 1, 1});
  const Tensor disc = ((x - center).square() + (y - 34).square() < 144).to(at::kFloat);
  const Tensor ground = (y > 40).to(at::kFloat).expand({frames, 64, 96});
  const auto colour = [&](double sky, double grass, double ball) {
    return disc * ball + (1 - disc) * (ground * grass + (1 - ground) * sky);
  };
  return at::stack({colour(0.0, -0.5, 0.8), colour(0.4, 0.3, -0.7), colour(0.9, -0.6, -0.7)}).unsqueeze(0);
}

/// Of the pictures that a VAE makes of latents, halved in height and width: how much of their variance the
/// preview has, 1 for all. Of frames that belong together it has one, as latents do.
double share_seen(const AutoencoderKLWan& vae, const Tensor& latents) {
  std::vector<Tensor> decoded;
  vae.decode(vae.denormalize(latents), [&decoded](const Tensor& pixels) {
    decoded.push_back(at::avg_pool2d(pixels.mean(2), {2, 2}));
  });
  const Tensor expected = at::cat(decoded);
  const Tensor got = to_pixels(LatentPreview(vae, at::kCPU)(latents))[0].transpose(0, 1);
  EXPECT_EQ(got.sizes(), expected.sizes());
  const Tensor spread = expected - expected.mean({0, 2, 3}, /*keepdim=*/true);
  return 1 - ((got - expected).square().sum() / spread.square().sum()).item<double>();
}

TEST(LatentPreview, ShowsTheClip) {
  const c10::InferenceMode inference_mode;
  const AutoencoderKLWan vae = bundled_vae();
  // Clips of the model itself, which the VAE was made for, reach 0.94.
  EXPECT_GT(share_seen(vae, vae.normalize(vae.encode(moving_disc(9)))), 0.7);
}

TEST(LatentPreview, IsTheSameEachTime) {
  const c10::InferenceMode inference_mode;
  const AutoencoderKLWan vae = bundled_vae();
  const LatentPreview preview(vae, at::kCPU), again(vae, at::kCPU);
  const Tensor latents = at::randn({1, 16, 2, 3, 4});
  EXPECT_EQ(preview(latents).rgb, again(latents).rgb);
  EXPECT_EQ(preview(at::zeros({1, 16, 1, 1, 1})).rgb.size(), 3U * 4 * 4);  // no neighbours
  EXPECT_THROW(preview(at::full({1, 16, 1, 2, 2}, std::numeric_limits<double>::quiet_NaN())), Error);
}

TEST(LatentPreview, OfAnotherCompression) {
  const c10::InferenceMode inference_mode;
  const AutoencoderKLWan vae = open_vae(fs::path(T2V_FIXTURES) / "tiny-kinds/2.2-ti2v/vae");
  const int64_t factor = vae.config().scale_factor_spatial;
  const Frames frames = LatentPreview(vae, at::kCPU)(at::randn({1, vae.config().z_dim, 2, 3, 5}));
  EXPECT_EQ(frames.count, 2);
  EXPECT_EQ(frames.height, 3 * factor / 2);
  EXPECT_EQ(frames.width, 5 * factor / 2);
}

}  // namespace
}  // namespace t2v
