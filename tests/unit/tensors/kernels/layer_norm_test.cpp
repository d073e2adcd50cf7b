#include "tensors/kernels/layer_norm.h"

#include "unit/tensors/kernels/kernel_test.h"

namespace t2v {
namespace {

using testing::without_values;

constexpr double kEps = 1e-6;

class LayerNormKernel : public testing::KernelTest {};

TEST_P(LayerNormKernel, EqualsTheReference) {
  for (const int64_t dim : {1, 5, 17, 64, 129}) {
    const Tensor x = random({2, 3, dim}) * 0.5 + 2;
    const Tensor weight = seeded_randn({dim}, 1), bias = seeded_randn({dim}, 2);
    EXPECT_EQ(layer_norm(x, weight, bias, kEps).scalar_type(), at::kFloat);
    for (const Tensor& input : {x, transposed(x)}) {
      expect_close(layer_norm(input, weight, bias, kEps), reference::layer_norm(x, weight, bias, kEps));
      expect_close(layer_norm(input, std::nullopt, std::nullopt, kEps),
                   reference::layer_norm(x, std::nullopt, std::nullopt, kEps));
    }
  }
}

TEST_P(LayerNormKernel, ANaNStaysInItsRow) {
  const Tensor x = random({4, 7});
  x[2][3].fill_(testing::kNaN);
  const Tensor actual = layer_norm(x, std::nullopt, std::nullopt, kEps);
  expect_close(actual, reference::layer_norm(x, std::nullopt, std::nullopt, kEps));
  EXPECT_EQ(actual.isnan().sum().item<int64_t>(), 7);
}

TEST_P(LayerNormKernel, HasAShapeWithoutValues) {
  const Tensor x = random({2, 3, 8});
  expect_alike(layer_norm(without_values(x), std::nullopt, std::nullopt, kEps),
               layer_norm(x, std::nullopt, std::nullopt, kEps));
}

INSTANTIATE_TEST_SUITE_P(All, LayerNormKernel,
                         ::testing::Values(testing::Precision{at::kFloat, 3e-6},
                                           testing::Precision{at::kBFloat16, 3e-6},
                                           testing::Precision{at::kHalf, 3e-6}),
                         testing::name_of);

}  // namespace
}  // namespace t2v
