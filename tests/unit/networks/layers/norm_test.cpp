#include "networks/layers/norm.h"

#include <gtest/gtest.h>

#include "unit/tensors.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::mixed_error;
using testing::relative_error;
using testing::weights_of;

constexpr double kEps = 1e-2;  // large enough that leaving it out shows

TEST(LayerNorm, NormalisesInFloat32) {
  const Tensor x = seeded_randn({2, 5, 12}, 1) * 0.1 + 3;
  const Tensor weight = seeded_randn({12}, 2), bias = seeded_randn({12}, 3);
  const Tensor centred = x - x.mean(-1, true);
  const Tensor expected = centred / (centred.square().mean(-1, true) + kEps).sqrt();

  EXPECT_LE(relative_error(LayerNorm(kEps)(x), expected), 1e-5);
  const LayerNorm affine(weights_of({{"weight", weight}, {"bias", bias}}), 12, kEps);
  EXPECT_LE(relative_error(affine(x), expected * weight + bias), 1e-5);

  const Tensor low = x.to(at::kBFloat16);
  EXPECT_EQ(affine(low).scalar_type(), at::kFloat);
  EXPECT_TRUE(affine(low).equal(affine(low.to(at::kFloat))));
}

TEST(RMSNorm, DividesByTheRootMeanSquare) {
  const Tensor x = seeded_randn({2, 5, 12}, 1) * 0.1 + 0.3;
  const Tensor weight = seeded_randn({12}, 2);
  const Tensor expected = x / (x.square().mean(-1, true) + kEps).sqrt() * weight;
  EXPECT_LE(relative_error(RMSNorm(weights_of({{"weight", weight}}), 12, kEps)(x), expected), 1e-6);

  const RMSNorm low_norm(weights_of({{"weight", weight}}, at::kBFloat16), 12, kEps);
  const Tensor low = low_norm(x.to(at::kBFloat16));
  EXPECT_EQ(low.scalar_type(), at::kBFloat16);
  EXPECT_LE(mixed_error(low, expected), 2e-2);
}

TEST(Norm, NamesWhatIsMissingOrMisshaped) {
  const Weights weights = weights_of({{"n.weight", at::zeros({4})}});
  EXPECT_THAT(error_of([&] { RMSNorm(weights["n"], 5, kEps); }), HasSubstr("n.weight"));
  EXPECT_THAT(error_of([&] { LayerNorm(weights["n"], 4, kEps); }), HasSubstr("n.bias"));
}

}  // namespace
}  // namespace t2v
