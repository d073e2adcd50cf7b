#include "networks/text_encoders/umt5_encoder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "unit/published_models.h"
#include "unit/tensors.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::mixed_error;
using testing::relative_error;

const std::filesystem::path kFolder = std::filesystem::path(T2V_FIXTURES) / "tiny-wan/text_encoder";

UMT5Encoder load_tiny(at::ScalarType dtype = at::kFloat, BlockResidency residency = {}) {
  const Weights weights =
      Weights::open_folder(kFolder, "model", {.placement = {.dtype = dtype}, .keep_in_fp32 = {}});
  UMT5Encoder encoder(weights, UMT5Config::from_config(Config::read(kFolder / "config.json")), residency);
  weights.expect_all_used();
  return encoder;
}

/// The rows of a long prompt that the golden file keeps: its first and last 20.
Tensor kept_rows(const Tensor& hidden_states, const Tensor& expected) {
  const int64_t half = expected.size(1) / 2;
  if (hidden_states.size(1) == expected.size(1)) return hidden_states;
  return at::cat({hidden_states.slice(1, 0, half), hidden_states.slice(1, -half)}, 1);
}

struct Case {
  const char* prompt;
  const char* dtype;
};

class GoldenPrompt : public ::testing::TestWithParam<Case> {};

// The reference ran on 512 padded and masked rows; here the encoder sees the real ones alone.
TEST_P(GoldenPrompt, EqualsThePaddedAndMaskedReference) {
  const auto [prompt, dtype] = GetParam();
  const Weights golden = testing::open_fixture("text_encoders/umt5_encoder.safetensors")[prompt];
  const Tensor expected = golden.tensor(dtype);
  const bool full = std::string(dtype) == "float32";

  const at::ScalarType precision = full ? at::kFloat : at::kBFloat16;
  const Tensor actual = load_tiny(precision).forward({golden.tensor("input_ids")[0]}).front();
  EXPECT_EQ(actual.scalar_type(), precision);
  if (full) {
    EXPECT_LE(relative_error(kept_rows(actual, expected), expected), 1e-5);
  } else {
    EXPECT_LE(mixed_error(kept_rows(actual, expected), expected), 5e-2);
  }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenPrompt,
                         ::testing::Values(Case{"empty", "float32"}, Case{"short", "float32"},
                                           Case{"far", "float32"}, Case{"full", "float32"},
                                           Case{"empty", "bfloat16"}, Case{"short", "bfloat16"},
                                           Case{"far", "bfloat16"}, Case{"full", "bfloat16"}),
                         [](const auto& test) {
                           return std::string(test.param.prompt) + "_" + test.param.dtype;
                         });

TEST(UMT5Encoder, SeveralPromptsAreEachAsAlone) {
  const UMT5Encoder encoder = load_tiny();
  const Tensor ids = at::arange(4, 24);
  const auto both = encoder.forward({ids, ids.slice(0, 3, 9)});
  EXPECT_TRUE(both[0].equal(encoder.forward({ids}).front()));
  EXPECT_TRUE(both[1].equal(encoder.forward({ids.slice(0, 3, 9)}).front()));
}

TEST(UMT5Encoder, BlocksThatDoNotStayGiveTheSame) {
  const Tensor ids = at::arange(4, 24);
  const Tensor expected = load_tiny().forward({ids}).front();
  for (const BlockResidency& residency : {BlockResidency{.resident = 0}, {.resident = 0, .ahead = 1}}) {
    EXPECT_TRUE(load_tiny(at::kFloat, residency).forward({ids}).front().equal(expected));
  }
}

TEST(UMT5Encoder, RejectsIdsOutsideOfTheVocabulary) {
  const UMT5Encoder encoder = load_tiny();
  EXPECT_THAT(error_of([&] { encoder.forward({at::full({3}, 512, at::kLong)}); }), HasSubstr("token id 512"));
  EXPECT_THAT(error_of([&] { encoder.forward({at::full({3}, -1, at::kLong)}); }), HasSubstr("token id -1"));
}

TEST(UMT5Encoder, TakesTheEmbeddingUnderEitherName) {
  const UMT5Config config{
      .vocab_size = 6, .d_model = 4, .d_kv = 2, .d_ff = 4, .num_layers = 0, .num_heads = 1};
  const std::pair<std::string, Tensor> norm = {"encoder.final_layer_norm.weight", at::ones({4})};
  const Tensor table = seeded_randn({6, 4}, 1);
  const Weights shared = testing::weights_of({norm, {"shared.weight", table}});
  const Weights own = testing::weights_of({norm, {"encoder.embed_tokens.weight", table}});
  const Weights both =
      testing::weights_of({norm, {"encoder.embed_tokens.weight", table}, {"shared.weight", table}});
  const Tensor ids = at::arange(6);
  const Tensor expected = UMT5Encoder(shared, config).forward({ids}).front();
  for (const Weights& weights : {own, both}) {
    EXPECT_TRUE(UMT5Encoder(weights, config).forward({ids}).front().equal(expected));
    EXPECT_NO_THROW(weights.expect_all_used());
  }
  EXPECT_THAT(error_of([&] { UMT5Encoder(testing::weights_of({norm}), config); }),
              HasSubstr("shared.weight"));
}

TEST(RelativePositionBuckets, EqualTheReference) {
  const Tensor expected = testing::open_fixture("text_encoders/umt5_encoder.safetensors").tensor("buckets");
  const Tensor buckets = relative_position_buckets(201, 32, 128, at::kCPU);
  EXPECT_TRUE(buckets[200].equal(expected.slice(0, 0, 201)));  // the last token looks back
  EXPECT_TRUE(buckets[0].equal(expected.slice(0, 200, 401)));  // the first looks ahead
}

TEST(UMT5Encoder, AsksForTheTensorsOfThePublishedModel) {
  const nlohmann::json model = testing::published_model("umt5-xxl");
  const Weights weights = testing::hollow_checkpoint(model);
  const UMT5Encoder encoder(weights, UMT5Config::from_config(Config(model["config"], "umt5-xxl")));
  EXPECT_EQ(error_of([&] { weights.expect_all_used(); }), "");
}

}  // namespace
}  // namespace t2v
