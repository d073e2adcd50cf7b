#include "networks/autoencoders/autoencoder_kl_wan.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tensors/kernels/processor.h"
#include "unit/operations.h"
#include "unit/published_models.h"
#include "unit/tensors.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::relative_error;

const std::filesystem::path kFolder = std::filesystem::path(T2V_FIXTURES) / "tiny-wan/vae";
constexpr auto kBoth = AutoencoderKLWan::Parts::kEncoderAndDecoder;

AutoencoderKLWan load_tiny(AutoencoderKLWan::Parts parts, at::ScalarType dtype = at::kFloat,
                           const std::filesystem::path& folder = kFolder) {
  const Weights weights = Weights::open_folder(folder, "diffusion_pytorch_model",
                                               {.placement = {.dtype = dtype}, .keep_in_fp32 = {}});
  AutoencoderKLWan vae(weights, AutoencoderKLWanConfig::from_config(Config::read(folder / "config.json")),
                       parts);
  weights.expect_all_used();
  return vae;
}

/// The chunks that decode() gives for the first `count` latent frames.
std::vector<Tensor> decoded(const AutoencoderKLWan& vae, const Tensor& latents, int64_t count) {
  std::vector<Tensor> chunks;
  vae.decode(latents.narrow(2, 0, count), [&](const Tensor& chunk) { chunks.push_back(chunk); });
  return chunks;
}

class GoldenDecode : public ::testing::TestWithParam<int64_t> {};

// The reference decodes causally: what it makes of n latent frames is how its clip of 5 begins.
TEST_P(GoldenDecode, EqualsTheReferenceChunkByChunk) {
  const int64_t count = GetParam();
  const Weights golden = testing::open_fixture("autoencoders/decode.safetensors");
  const Tensor expected = golden.tensor("frames").narrow(2, 0, 1 + 4 * (count - 1));

  const std::vector<Tensor> chunks =
      decoded(load_tiny(AutoencoderKLWan::Parts::kDecoder), golden.tensor("latents"), count);
  ASSERT_EQ(static_cast<int64_t>(chunks.size()), count);
  for (int64_t i = 0; i < count; ++i) EXPECT_EQ(chunks[i].size(2), i == 0 ? 1 : 4);
  EXPECT_LE(relative_error(at::cat(chunks, 2), expected), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(LatentFrames, GoldenDecode, ::testing::Values(1, 2, 3, 5));

TEST(AutoencoderKLWan, DecodesATallClip) {
  const Weights golden = testing::open_fixture("autoencoders/decode.safetensors");
  const AutoencoderKLWan vae = load_tiny(AutoencoderKLWan::Parts::kDecoder);
  const Tensor actual = at::cat(decoded(vae, golden.tensor("tall_latents"), 2), 2);
  EXPECT_LE(relative_error(actual, golden.tensor("tall_frames")), 1e-5);
}

void expect_decodes_in_bfloat16() {
  const Weights golden = testing::open_fixture("autoencoders/decode.safetensors");
  const AutoencoderKLWan vae = load_tiny(AutoencoderKLWan::Parts::kDecoder, at::kBFloat16);
  const Tensor actual = at::cat(decoded(vae, golden.tensor("tall_latents").to(at::kBFloat16), 2), 2);
  EXPECT_EQ(actual.scalar_type(), at::kBFloat16);
  // Both are bfloat16: as far from the float32 clip as the reference's own, give or take.
  const Tensor exact = golden.tensor("tall_frames");
  const double ours = (actual.to(at::kFloat) - exact).norm().item<double>();
  const double theirs = (golden.tensor("bfloat16_frames").to(at::kFloat) - exact).norm().item<double>();
  EXPECT_LE(ours, 1.5 * theirs);
  EXPECT_LE(relative_error(actual, golden.tensor("bfloat16_frames")), 1e-1);
}

TEST(AutoencoderKLWan, DecodesInBfloat16) { expect_decodes_in_bfloat16(); }

TEST(AutoencoderKLWan, DecodesInBfloat16WhereOnednnCannot) {
  Processor plain = processor();
  plain.onednn_bfloat16 = false;
  const PretendProcessor pretend(plain);
  expect_decodes_in_bfloat16();
}

TEST(AutoencoderKLWan, TwoDecodesShareNothing) {
  const Weights golden = testing::open_fixture("autoencoders/decode.safetensors");
  const AutoencoderKLWan vae = load_tiny(AutoencoderKLWan::Parts::kDecoder);
  const Tensor first = at::cat(decoded(vae, golden.tensor("latents"), 3), 2);
  EXPECT_TRUE(at::equal(first, at::cat(decoded(vae, golden.tensor("latents"), 3), 2)));
}

TEST(WanDecoder3d, FramesTogetherOrOneByOneAreTheSame) {
  const Weights weights = Weights::open_folder(kFolder, "diffusion_pytorch_model", {})["decoder"];
  const auto config = AutoencoderKLWanConfig::from_config(Config::read(kFolder / "config.json"));
  const WanDecoder3d together(weights, config), one_by_one(weights, config, /*large_frame=*/0);
  FeatureCache cache, other_cache;
  for (uint64_t chunk = 0; chunk < 3; ++chunk) {
    const Tensor x = seeded_randn({1, 16, 2, 3}, chunk).contiguous(at::MemoryFormat::ChannelsLast);
    const Tensor expected = together.forward(x, cache);
    EXPECT_LE(relative_error(one_by_one.forward(x, other_cache), expected), 1e-6);
  }
}

class GoldenEncode : public ::testing::TestWithParam<int64_t> {};

TEST_P(GoldenEncode, EqualsTheReference) {
  const int64_t count = GetParam();
  const Weights golden = testing::open_fixture("autoencoders/encode.safetensors");
  const Tensor actual = load_tiny(kBoth).encode(golden.tensor("video").narrow(2, 0, count));
  const Tensor expected = golden.tensor("mean_" + std::to_string(count));
  ASSERT_EQ(actual.sizes(), expected.sizes());
  EXPECT_LE(relative_error(actual, expected), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Frames, GoldenEncode, ::testing::Values(1, 5, 9, 17));

TEST(AutoencoderKLWan, EncodesAVideoThatIsMadeAsItGoes) {
  const Weights golden = testing::open_fixture("autoencoders/encode.safetensors");
  const Tensor video = golden.tensor("video");
  std::vector<std::pair<int64_t, int64_t>> asked;
  const VideoSource source{video.size(2), video.size(3), video.size(4), [&](int64_t first, int64_t count) {
                             asked.emplace_back(first, count);
                             return video.narrow(2, first, count);
                           }};
  EXPECT_LE(relative_error(load_tiny(kBoth).encode(source), golden.tensor("mean_17")), 1e-5);
  EXPECT_EQ(asked, (std::vector<std::pair<int64_t, int64_t>>{{0, 1}, {1, 4}, {5, 4}, {9, 4}, {13, 4}}));
}

TEST(AutoencoderKLWan, ScalesLatentsAsTheReferenceDoes) {
  const Weights golden = testing::open_fixture("autoencoders/decode.safetensors");
  const AutoencoderKLWan vae = load_tiny(AutoencoderKLWan::Parts::kDecoder);
  EXPECT_TRUE(at::equal(vae.denormalize(golden.tensor("latents")), golden.tensor("denormalized")));
  EXPECT_TRUE(at::equal(vae.normalize(golden.tensor("latents")), golden.tensor("normalized")));
}

struct PublishedVae {
  const char* shapes;
  size_t count;
  const char* config;
};

class PublishedVaes : public ::testing::TestWithParam<PublishedVae> {};

TEST_P(PublishedVaes, HaveTheseNamesAndShapes) {
  const auto file = std::filesystem::path(T2V_FIXTURES) / "autoencoders" / GetParam().shapes;
  const nlohmann::json shapes = nlohmann::json::parse(std::ifstream(file));
  EXPECT_EQ(shapes.size(), GetParam().count);
  nlohmann::json config = nlohmann::json::parse(GetParam().config);
  if (config.contains("z_dim")) {
    config["latents_mean"] = std::vector<double>(config["z_dim"], 0.0);
    config["latents_std"] = std::vector<double>(config["z_dim"], 1.0);
  }
  const Weights weights =
      testing::hollow_checkpoint({{"tensors", shapes}, {"config", nlohmann::json::object()}});
  const AutoencoderKLWan vae(weights, AutoencoderKLWanConfig::from_config(Config(config, "config.json")),
                             kBoth);
  weights.expect_all_used();
}

INSTANTIATE_TEST_SUITE_P(All, PublishedVaes,
                         ::testing::Values(PublishedVae{"wan2.1_shapes.json", 194, "{}"},
                                           PublishedVae{"wan2.2_shapes.json", 196, R"({"base_dim": 160,
    "decoder_base_dim": 256, "z_dim": 48, "is_residual": true, "in_channels": 12, "out_channels": 12,
    "patch_size": 2, "scale_factor_spatial": 16})"}));

TEST(AutoencoderKLWan, DecoderAloneReadsNothingOfTheEncoder) {
  const Weights tiny = Weights::open_folder(kFolder, "diffusion_pytorch_model", {});
  const auto config = AutoencoderKLWanConfig::from_config(Config::read(kFolder / "config.json"));
  AutoencoderKLWanConfig other = config;
  other.base_dim += 1;  // the encoder's width; the decoder keeps its own
  const AutoencoderKLWan vae(tiny, other);
  tiny.expect_all_used();
  EXPECT_THAT(error_of([&] { AutoencoderKLWan(tiny, other, kBoth); }), HasSubstr("encoder.conv_in."));
}

TEST(AutoencoderKLWan, NeverFallsBackToSlowConvolutions) {
  const AutoencoderKLWan vae = load_tiny(kBoth);
  const auto names = testing::operations_of([&] {
    decoded(vae, at::ones({1, 16, 2, 2, 2}), 2);
    vae.encode(at::ones({1, 3, 5, 16, 16}));
  });
  EXPECT_TRUE(names.count("mkldnn::_convolution_pointwise_"));
  for (const std::string& name : names) EXPECT_EQ(name.find("slow_conv"), std::string::npos) << name;
}

TEST(AutoencoderKLWan, RefusesOtherShapes) {
  const AutoencoderKLWan vae = load_tiny(kBoth);
  const auto decode = [&](at::IntArrayRef shape) {
    return error_of([&] { vae.decode(at::zeros(shape), [](const Tensor&) {}); });
  };
  EXPECT_THAT(decode({1, 15, 2, 2, 2}),
              HasSubstr("got shape [1, 15, 2, 2, 2], expected [1, 16, frames, height, width]"));
  EXPECT_THAT(decode({2, 16, 2, 2, 2}), HasSubstr("shape [2, 16"));
  EXPECT_THAT(decode({16, 2, 2, 2}), HasSubstr("shape [16"));
  EXPECT_THAT(decode({1, 16, 0, 2, 2}), HasSubstr("shape [1, 16, 0"));
  const auto encode = [&](at::IntArrayRef shape) { return error_of([&] { vae.encode(at::zeros(shape)); }); };
  EXPECT_THAT(encode({1, 3, 4, 16, 16}), HasSubstr("1 + a multiple of 4 frames"));
  EXPECT_THAT(encode({1, 3, 5, 16, 20}), HasSubstr("multiples of 8"));
  EXPECT_THAT(error_of([&] {
                load_tiny(AutoencoderKLWan::Parts::kDecoder).encode(at::zeros({1, 3, 1, 8, 8}));
              }),
              HasSubstr("without its encoder"));
}

}  // namespace
}  // namespace t2v
