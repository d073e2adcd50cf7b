#include "tensors/kernels/linear.h"

#include "unit/operations.h"
#include "unit/tensors/kernels/kernel_test.h"

namespace t2v {
namespace {

using testing::without_values;

class LinearKernel : public testing::KernelTest {
 protected:
  static Tensor expected(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias,
                         Activation activation) {
    return reference::linear(x, weight, bias, static_cast<int64_t>(activation));
  }
};

TEST_P(LinearKernel, EqualsTheReference) {
  for (const auto activation : {Activation::kNone, Activation::kGelu, Activation::kGeluTanh}) {
    for (const std::vector<int64_t>& shape :
         std::vector<std::vector<int64_t>>{{1, 3}, {7, 40}, {2, 5, 17}, {3, 1, 129}}) {
      const Tensor x = random(shape), weight = random({23, shape.back()}) * 0.3, bias = random({23});
      expect_close(linear(x, weight, bias, activation), expected(x, weight, bias, activation));
      expect_close(linear(x, weight, std::nullopt, activation),
                   expected(x, weight, std::nullopt, activation));
      expect_close(linear(transposed(x), weight, bias, activation), expected(x, weight, bias, activation));
      expect_close(linear(x, transposed(weight), bias, activation), expected(x, weight, bias, activation));
    }
  }
}

TEST_P(LinearKernel, ANaNStaysInItsRow) {
  const Tensor x = random({5, 16}), weight = random({7, 16});
  x[3][2].fill_(testing::kNaN);
  for (const auto activation : {Activation::kNone, Activation::kGelu, Activation::kGeluTanh}) {
    const Tensor actual = linear(x, weight, std::nullopt, activation);
    expect_close(actual, expected(x, weight, std::nullopt, activation));
    EXPECT_EQ(actual.isnan().sum().item<int64_t>(), 7);
  }
}

TEST_P(LinearKernel, HasAShapeWithoutValues) {
  const Tensor x = random({2, 5, 16}), weight = random({7, 16}), bias = random({7});
  expect_alike(linear(without_values(x), without_values(weight), without_values(bias), Activation::kGelu),
               linear(x, weight, bias, Activation::kGelu));
}

TEST_P(LinearKernel, AsksTheProcessor) {
  const Tensor x = random({5, 16}), weight = random({7, 16});
  const auto takes_onednn = [&] {
    return testing::operations_of([&] { linear(x, weight, std::nullopt, Activation::kNone); })
        .contains("mkldnn::_linear_pointwise");
  };
  EXPECT_EQ(takes_onednn(), GetParam().dtype == at::kFloat && processor().has_onednn(at::kFloat));
  const PretendProcessor pretend(testing::without_onednn());
  EXPECT_FALSE(takes_onednn());
}

INSTANTIATE_TEST_SUITE_P(All, LinearKernel,
                         ::testing::Values(testing::Precision{at::kFloat, 2e-6},
                                           testing::Precision{at::kBFloat16, 1e-2},
                                           testing::Precision{at::kHalf, 2e-3}),
                         testing::name_of);

}  // namespace
}  // namespace t2v
