#include "tensors/kernels/attention.h"

#include "unit/tensors/kernels/kernel_test.h"

namespace t2v {
namespace {

using testing::without_values;

class Attention : public testing::KernelTest {};

TEST_P(Attention, EqualsTheReference) {
  // Odd widths, one head and many, one row and many.
  const std::vector<std::vector<int64_t>> cases = {
      {1, 1, 1, 3}, {2, 7, 3, 5}, {1, 129, 2, 64}, {3, 33, 5, 17}};
  for (const auto& sizes : cases) {
    const int64_t batch = sizes[0], rows = sizes[1], heads = sizes[2], dim = sizes[3];
    const Tensor query = random({batch, rows, heads, dim}), key = random({batch, rows + 2, heads, dim});
    const Tensor value = random({batch, rows + 2, heads, dim});
    expect_close(attention(query, key, value),
                 reference::attention(query, key, value, std::nullopt, std::nullopt));
    expect_close(attention(query, key, value, std::nullopt, 1.0),
                 reference::attention(query, key, value, std::nullopt, 1.0));
  }
}

TEST_P(Attention, AddsABias) {
  const Tensor query = random({2, 9, 3, 8}), key = random({2, 11, 3, 8}), value = random({2, 11, 3, 8});
  for (const std::vector<int64_t>& shape :
       std::vector<std::vector<int64_t>>{{1, 11}, {9, 11}, {1, 3, 9, 11}, {2, 1, 1, 11}}) {
    const Tensor bias = random(shape);
    const Tensor expected = reference::attention(query, key, value, bias, 0.5);
    expect_close(attention(query, key, value, bias, 0.5), expected);
    EXPECT_GT(testing::mixed_error(attention(query, key, value, std::nullopt, 0.5), expected), 0.1);
  }
}

TEST_P(Attention, OneContextServesTheWholeBatch) {
  const Tensor query = random({3, 5, 2, 8}), key = random({1, 7, 2, 8}), value = random({1, 7, 2, 8});
  const Tensor expected = reference::attention(query, key.expand({3, -1, -1, -1}),
                                               value.expand({3, -1, -1, -1}), std::nullopt, std::nullopt);
  expect_close(attention(query, key, value), expected);
  expect_close(reference::attention(query, key, value, std::nullopt, std::nullopt), expected);
}

TEST_P(Attention, TakesViews) {
  // Query, key and value beside each other in each token, as the VAE has them.
  const auto qkv = random({2, 7, 1, 3 * 5}).chunk(3, -1);
  const Tensor expected = reference::attention(qkv[0], qkv[1], qkv[2], std::nullopt, std::nullopt);
  expect_close(attention(qkv[0], qkv[1], qkv[2]), expected);
  expect_close(attention(transposed(qkv[0]), transposed(qkv[1]), transposed(qkv[2])), expected);
}

TEST_P(Attention, ANaNOfAKeyReachesEveryQueryOfItsHead) {
  const Tensor query = random({1, 6, 2, 8}), key = random({1, 6, 2, 8}), value = random({1, 6, 2, 8});
  key[0][3][1][4].fill_(testing::kNaN);
  const Tensor actual = attention(query, key, value);
  expect_close(actual, reference::attention(query, key, value, std::nullopt, std::nullopt));
  EXPECT_TRUE(actual.select(2, 1).isnan().all().item<bool>());
  EXPECT_FALSE(actual.select(2, 0).isnan().any().item<bool>());
}

TEST_P(Attention, ANaNOfAQueryStaysInItsRow) {
  const Tensor query = random({1, 6, 2, 8}), key = random({1, 6, 2, 8}), value = random({1, 6, 2, 8});
  const Tensor expected = reference::attention(query, key, value, std::nullopt, std::nullopt).clone();
  query[0][3][1][4].fill_(testing::kNaN);
  // LibTorch's kernel for the CPU gives zeros there.
  const Tensor actual = attention(query, key, value).clone();
  for (const Tensor& result : {actual, expected}) result[0][3][1].fill_(0);
  expect_close(actual, expected);
}

TEST_P(Attention, HasAShapeWithoutValues) {
  const Tensor query = random({2, 5, 3, 8}), key = random({1, 7, 3, 8}), bias = random({1, 7});
  expect_alike(
      attention(without_values(query), without_values(key), without_values(key), without_values(bias)),
      attention(query, key, key, bias));
}

INSTANTIATE_TEST_SUITE_P(All, Attention,
                         ::testing::Values(testing::Precision{at::kFloat, 2e-6},
                                           testing::Precision{at::kBFloat16, 1e-2},
                                           testing::Precision{at::kHalf, 2e-3}),
                         testing::name_of);

}  // namespace
}  // namespace t2v
