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

TEST(LatentPreview, HasTheColoursOfTheClip) {
  const c10::InferenceMode inference_mode;
  const AutoencoderKLWan vae = bundled_vae();
  const Tensor latents = vae.normalize(vae.encode(moving_disc(9)));
  std::vector<Tensor> wanted;  // of each latent frame, the mean of the pixels that it stands for
  vae.decode(vae.denormalize(latents), [&wanted](const Tensor& pixels) {
    wanted.push_back(at::avg_pool2d(pixels.mean(2), {8, 8}));
  });
  const Frames frames = preview_frames(vae, latents);
  EXPECT_EQ(frames.count, 3);
  EXPECT_EQ(frames.height, 32);
  EXPECT_EQ(frames.width, 48);
  const Tensor got = at::avg_pool2d(to_pixels(frames)[0].transpose(0, 1), {4, 4});
  const Tensor expected = at::cat(wanted);
  const double error = (got - expected).square().mean().item<double>();
  // The best that any linear map of these latents can do, however it is fitted.
  const Tensor cells = at::constant_pad_nd(latents[0].permute({1, 2, 3, 0}).flatten(0, 2), {0, 1}, 1.0);
  const Tensor colours = expected.permute({0, 2, 3, 1}).flatten(0, 2);
  const Tensor map = std::get<0>(at::linalg_lstsq(cells, colours));
  const double best = (at::mm(cells, map) - colours).square().mean().item<double>();
  EXPECT_LT(error, 1.5 * best) << error / best;
}

TEST(LatentPreview, OfOneFrameWithoutDetail) {
  const c10::InferenceMode inference_mode;
  const Frames frames = preview_frames(bundled_vae(), at::zeros({1, 16, 1, 2, 2}));
  EXPECT_EQ(frames.count, 1);
  EXPECT_EQ(frames.rgb.size(), 3U * 8 * 8);
}

TEST(LatentPreview, OfAnotherCompression) {
  const c10::InferenceMode inference_mode;
  const AutoencoderKLWan vae = open_vae(fs::path(T2V_FIXTURES) / "tiny-kinds/2.2-ti2v/vae");
  const int64_t factor = vae.config().scale_factor_spatial;
  const Frames frames = preview_frames(vae, at::randn({1, vae.config().z_dim, 2, 3, 5}));
  EXPECT_EQ(frames.count, 2);
  EXPECT_EQ(frames.height, 3 * factor / 2);
  EXPECT_EQ(frames.width, 5 * factor / 2);
}

TEST(LatentPreview, RefusesNaN) {
  const c10::InferenceMode inference_mode;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(preview_frames(bundled_vae(), at::full({1, 16, 1, 2, 2}, nan)), Error);
}

}  // namespace
}  // namespace t2v
