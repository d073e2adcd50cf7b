#include "networks/transformers/wan_attention.h"

#include <gtest/gtest.h>

#include "unit/tensors.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::relative_error;

WanTransformer3DConfig small_config() {
  WanTransformer3DConfig config;
  config.num_attention_heads = 2;
  config.attention_head_dim = 3;
  return config;
}

/// An attention of width 6 that sees text and image.
std::vector<std::pair<std::string, Tensor>> small_attention() {
  std::vector<std::pair<std::string, Tensor>> tensors;
  uint64_t seed = 1;
  for (const char* name : {"to_q", "to_k", "to_v", "to_out.0", "add_k_proj", "add_v_proj"}) {
    tensors.emplace_back(name + std::string(".weight"), seeded_randn({6, 6}, seed++));
    tensors.emplace_back(name + std::string(".bias"), seeded_randn({6}, seed++));
  }
  for (const char* name : {"norm_q", "norm_k", "norm_added_k"}) {
    tensors.emplace_back(name + std::string(".weight"), seeded_randn({6}, seed++));
  }
  return tensors;
}

TEST(WanAttention, IgnoresTheNormOfImageQueries) {
  auto tensors = small_attention();
  tensors.emplace_back("norm_added_q.weight", at::ones({6}));  // in older files
  const Weights weights = testing::weights_of(tensors);
  const WanAttention attention(weights, small_config(), WanAttention::Sees::kTextAndImage);
  EXPECT_EQ(error_of([&] { weights.expect_all_used(); }), "");
}

TEST(WanAttention, LeavesTheImageOutWhereTheModelSeesNone) {
  const Weights weights = testing::weights_of(small_attention());
  const WanAttention attention(weights, small_config());
  EXPECT_THAT(error_of([&] { weights.expect_all_used(); }), HasSubstr("add_k_proj"));
}

// What an image adds does not depend on the prompt: two prompts differ by the same with it and without it.
TEST(WanAttention, AddsTheImageToTheText) {
  const WanAttention attention(testing::weights_of(small_attention()), small_config(),
                               WanAttention::Sees::kTextAndImage);
  const Tensor hidden_states = seeded_randn({1, 5, 6}, 31), image = seeded_randn({1, 4, 6}, 32);
  const auto run = [&](uint64_t prompt, bool with_image) {
    CrossContext context = attention.project({seeded_randn({1, 7, 6}, prompt), std::nullopt, image});
    if (!with_image) context.image = std::nullopt;
    return attention(hidden_states, context);
  };
  const Tensor with = run(33, true) - run(34, true), without = run(33, false) - run(34, false);
  EXPECT_LE(relative_error(with, without), 1e-5);
  EXPECT_GT(relative_error(run(33, true), run(33, false)), 0.1);
}

}  // namespace
}  // namespace t2v
