#include "networks/layers/linear.h"

#include <gtest/gtest.h>

#include "unit/tensors.h"

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

TEST(Linear, ComputesFromFp8InBfloat16) {
  // Rows of very different sizes: each has a scale of its own.
  const Tensor weight = seeded_randn({24, 40}, 1) * at::logspace(-3, 3, 24).unsqueeze(1);
  const Tensor bias = seeded_randn({24}, 2), x = seeded_randn({5, 40}, 3).to(at::kBFloat16);
  const std::vector<std::pair<std::string, Tensor>> tensors = {{"blocks.0.a.weight", weight},
                                                               {"blocks.0.a.bias", bias}};
  const LoadOptions options{.placement = {.dtype = at::kBFloat16}, .keep_in_fp32 = {}, .fp8_matrices = true};
  const Linear linear(weights_of(tensors, options)["blocks.0.a"], 40, 24);
  EXPECT_EQ(linear.dtype(), at::kBFloat16);
  const Tensor got = linear(x);
  EXPECT_EQ(got.scalar_type(), at::kBFloat16);
  const Tensor expected = at::linear(x.to(at::kFloat), weight, bias);
  // e4m3 rounds by at most 1/16; over 40 products it is less. By row, for the rows differ.
  for (int64_t row = 0; row < 24; ++row)
    EXPECT_LE(relative_error(got.select(1, row), expected.select(1, row)), 0.06) << row;
  EXPECT_GT(relative_error(got, expected), 1e-3);
  EXPECT_LE(mixed_error(linear.gelu_tanh(x), at::gelu(got.to(at::kFloat), "tanh")), 8e-3);
}

TEST(Linear, NamesWhatIsMissingOrMisshaped) {
  const Weights weights = weights_of({{"a.weight", at::zeros({4, 3})}});
  EXPECT_THAT(error_of([&] { Linear(weights["a"], 3, 4); }), HasSubstr("a.bias"));
  EXPECT_THAT(error_of([&] { Linear(weights["a"], 5, 4, Linear::Bias::kNo); }), HasSubstr("a.weight"));
}

}  // namespace
}  // namespace t2v
