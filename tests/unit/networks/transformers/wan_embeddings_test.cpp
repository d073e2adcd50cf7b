#include "networks/transformers/wan_embeddings.h"

#include <cmath>

#include <gtest/gtest.h>

#include "unit/tensors.h"

namespace t2v {
namespace {

TEST(RotaryEmb, SplitsTheHeadUnevenly) {
  WanTransformer3DConfig config;
  config.attention_head_dim = 128;  // 22 pairs for time, 21 for each side
  const Tensor angles = rotary_emb(config, {2, 3, 4}, at::kCPU).rotations.angle().view({2, 3, 4, 64});
  // Pairs 1, 22 + 1 and 43 + 1 of the token at (1, 2, 3).
  EXPECT_NEAR(angles[1][2][3][1].item<double>(), std::pow(10000.0, -2.0 / 44), 1e-6);
  EXPECT_NEAR(angles[1][2][3][23].item<double>(), 2 * std::pow(10000.0, -2.0 / 42), 1e-6);
  EXPECT_NEAR(angles[1][2][3][44].item<double>(), 3 * std::pow(10000.0, -2.0 / 42), 1e-6);
}

}  // namespace
}  // namespace t2v
