#include "engine/pipelines/latent_preview.h"

#include <array>
#include <filesystem>
#include <limits>

#include <gtest/gtest.h>

#include "core/config.h"
#include "engine/pipelines/pixels.h"
#include "networks/autoencoders/autoencoder_kl_wan.h"
#include "t2v/error.h"
#include "tensors/weights/weights.h"

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

FrameDecoder decoder_of(const AutoencoderKLWan& vae) {
  return [&vae](const Tensor& latents) {
    Tensor frame;
    vae.decode(vae.denormalize(latents), [&frame](const Tensor& pixels) { frame = pixels; });
    return frame;
  };
}

/// What a VAE makes of latents and what the preview shows, both [frames, 3, height, width] in [-1, 1]: of
/// frames that belong together it has one, as latents do.
struct Shown {
  Tensor expected, got;

  Shown(const AutoencoderKLWan& vae, const Tensor& latents) {
    std::vector<Tensor> decoded;
    vae.decode(vae.denormalize(latents), [&decoded](const Tensor& pixels) {
      decoded.push_back(at::avg_pool2d(pixels.mean(2), {2, 2}));
    });
    expected = at::cat(decoded);
    got = to_pixels(preview_frames(latents, decoder_of(vae)))[0].transpose(0, 1);
    EXPECT_EQ(got.sizes(), expected.sizes());
  }

  /// How much of the variance the preview has, 1 for all.
  double share_seen() const {
    const Tensor spread = expected - expected.mean({0, 2, 3}, /*keepdim=*/true);
    return 1 - ((got - expected).square().sum() / spread.square().sum()).item<double>();
  }
};

TEST(LatentPreview, ShowsTheClip) {
  const c10::InferenceMode inference_mode;
  const AutoencoderKLWan vae = bundled_vae();
  EXPECT_GT(Shown(vae, vae.normalize(vae.encode(moving_disc(9)))).share_seen(), 0.85);
}

TEST(LatentPreview, OfAnotherCompression) {
  const c10::InferenceMode inference_mode;
  const AutoencoderKLWan vae = open_vae(fs::path(T2V_FIXTURES) / "tiny-kinds/2.2-ti2v/vae");
  const Shown shown(vae, at::randn({1, vae.config().z_dim, 2, 3, 5}));
  EXPECT_EQ(shown.got.sizes(), (std::vector<int64_t>{2, 3, 3 * 8, 5 * 8}));
}

TEST(LatentPreview, OfTheChannelsOfWan22) {
  const c10::InferenceMode inference_mode;
  // A decoder that is no linear map: 16 by 16 pixels for each cell.
  const Tensor colours = at::randn({3, 48, 1, 1}, seeded_generator(0)) / 4;
  const auto decode = [&colours](const Tensor& latents) {
    const Tensor colour = at::conv2d(latents.select(2, 0), colours);
    const auto size = std::array{16 * latents.size(3), 16 * latents.size(4)};
    return at::tanh(at::upsample_bilinear2d(colour, size, /*align_corners=*/false)).unsqueeze(2);
  };
  Tensor latents = at::randn({1, 48, 3, 12, 20}, seeded_generator(1));  // of clips they are smooth
  latents = at::upsample_trilinear3d(latents, {3, 24, 40}, /*align_corners=*/false);
  latents /= latents.std();
  const Tensor got = to_pixels(preview_frames(latents, decode))[0].transpose(0, 1);
  EXPECT_EQ(got.sizes(), (std::vector<int64_t>{3, 3, 24 * 8, 40 * 8}));
  const Tensor expected = at::avg_pool2d(decode(latents.slice(2, 0, 1)).select(2, 0), {2, 2})[0];
  EXPECT_LT((got[0] - expected).square().mean().item<double>(), 0.25 * expected.var().item<double>());
}

TEST(LatentPreview, IsTheSameEachTime) {
  const c10::InferenceMode inference_mode;
  const AutoencoderKLWan vae = bundled_vae();
  const Tensor latents = at::randn({1, 16, 2, 3, 4});
  EXPECT_EQ(preview_frames(latents, decoder_of(vae)).rgb, preview_frames(latents, decoder_of(vae)).rgb);
}

TEST(LatentPreview, OfLatentsWithoutNeighbours) {
  const c10::InferenceMode inference_mode;
  const AutoencoderKLWan vae = bundled_vae();
  EXPECT_EQ(preview_frames(at::zeros({1, 16, 1, 1, 1}), decoder_of(vae)).rgb.size(), 3U * 4 * 4);
}

TEST(LatentPreview, NotOfNumbersThatWentWrong) {
  const c10::InferenceMode inference_mode;
  const Tensor latents = at::full({1, 16, 1, 2, 2}, std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW(preview_frames(latents, decoder_of(bundled_vae())), Error);
}

}  // namespace
}  // namespace t2v
