#include "networks/text_encoders/umt5_encoder_cost.h"

#include <gtest/gtest.h>

#include "unit/run_costs.h"

namespace t2v {
namespace {

class TextCostTest : public ::testing::TestWithParam<at::ScalarType> {};

TEST_P(TextCostTest, IsTheCostOfTheRun) {
  // Large enough that the working memory of oneDNN's products, 0.3 MB for a thread, which is not counted,
  // does not matter.
  const UMT5Config config{.vocab_size = 1000, .d_model = 512, .d_ff = 4096, .num_layers = 2, .num_heads = 8};
  constexpr int64_t kTokens = 512;
  TensorList list;
  UMT5Encoder(Weights::record(list), config);
  const UMT5Encoder encoder(testing::random_weights(list, {.placement = {.dtype = GetParam()}}), config);
  const Tensor input_ids = at::arange(kTokens, at::kLong);
  testing::expect_cost(encode_cost(config, kTokens, GetParam(), {}), [&] { encoder.forward({input_ids}); });
}

INSTANTIATE_TEST_SUITE_P(All, TextCostTest, ::testing::Values(at::kFloat, at::kBFloat16));

TEST(TextCost, IsKnownOfThePublishedModel) {
  const UMT5Config xxl{.d_model = 4096, .d_ff = 10240, .num_layers = 24, .num_heads = 64};
  EXPECT_NEAR(encode_cost(xxl, 512, at::kBFloat16, {}).flops / 1e12, 4.8, 0.1);
}

}  // namespace
}  // namespace t2v
