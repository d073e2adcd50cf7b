#include "layers/linear.h"

#include <gtest/gtest.h>

#include "../tensors.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::mixed_error;
using testing::relative_error;
using testing::weights_of;

TEST(Linear, EqualsTheMatrixProduct) {
  const Tensor weight = seeded_randn({24, 40}, 1), bias = seeded_randn({24}, 2);
  const Linear linear(weights_of({{"weight", weight}, {"bias", bias}}), 40, 24);
  const Linear no_bias(weights_of({{"weight", weight}}), 40, 24, Linear::Bias::kNo);
  for (const std::vector<int64_t>& shape :
       std::vector<std::vector<int64_t>>{{7, 40}, {2, 3, 40}, {1, 1, 40}}) {
    const Tensor x = seeded_randn(shape, 3);
    const Tensor product = at::matmul(x.to(at::kDouble), weight.to(at::kDouble).t());
    EXPECT_EQ(linear(x).sizes(), product.sizes());
    EXPECT_LE(relative_error(linear(x), product + bias), 1e-6);
    EXPECT_LE(relative_error(no_bias(x), product), 1e-6);
    EXPECT_LE(relative_error(linear.gelu_tanh(x), at::gelu(product + bias, "tanh")), 1e-6);
    EXPECT_LE(relative_error(linear.gelu(x), at::gelu(product + bias)), 1e-6);
  }
}

TEST(Linear, TakesRowsThatAreNotContiguous) {
  const Tensor weight = seeded_randn({8, 6}, 1);
  const Linear linear(weight, std::nullopt);
  const Tensor x = seeded_randn({6, 5}, 2).t();
  EXPECT_LE(relative_error(linear(x), at::matmul(x, weight.t())), 1e-6);
}

TEST(Linear, ComputesInBfloat16) {
  const Tensor weight = seeded_randn({24, 40}, 1).to(at::kBFloat16),
               bias = seeded_randn({24}, 2).to(at::kBFloat16);
  const Tensor x = seeded_randn({5, 40}, 3).to(at::kBFloat16);
  const Linear linear(weight, bias);
  const Tensor expected = at::linear(x.to(at::kFloat), weight.to(at::kFloat), bias.to(at::kFloat));
  EXPECT_EQ(linear(x).scalar_type(), at::kBFloat16);
  EXPECT_LE(mixed_error(linear(x), expected), 8e-3);
  EXPECT_LE(mixed_error(linear.gelu_tanh(x), at::gelu(expected, "tanh")), 8e-3);
  EXPECT_LE(mixed_error(linear.gelu(x), at::gelu(expected)), 8e-3);
}

TEST(Linear, NamesWhatIsMissingOrMisshaped) {
  const Weights weights = weights_of({{"a.weight", at::zeros({4, 3})}});
  EXPECT_THAT(error_of([&] { Linear(weights["a"], 3, 4); }), HasSubstr("a.bias"));
  EXPECT_THAT(error_of([&] { Linear(weights["a"], 5, 4, Linear::Bias::kNo); }), HasSubstr("a.weight"));
}

}  // namespace
}  // namespace t2v
