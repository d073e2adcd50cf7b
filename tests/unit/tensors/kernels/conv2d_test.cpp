#include "tensors/kernels/conv2d.h"

#include "unit/operations.h"
#include "unit/tensors/kernels/kernel_test.h"

namespace t2v {
namespace {

using testing::without_values;

class Conv2dKernel : public testing::KernelTest {
 protected:
  /// Widths that fill no vector, and kernels of every size in use.
  struct Case {
    std::vector<int64_t> frames;
    int64_t out, size, stride, padding;
  };
  const std::vector<Case> cases_ = {{{1, 1, 1, 1}, 1, 1, 1, 0},   {{2, 3, 7, 5}, 5, 3, 1, 1},
                                    {{1, 17, 9, 11}, 3, 3, 2, 0}, {{3, 16, 8, 8}, 33, 1, 1, 0},
                                    {{2, 5, 6, 7}, 12, 2, 1, 1},  {{1, 3, 14, 14}, 6, 7, 7, 0}};
};

TEST_P(Conv2dKernel, EqualsTheReference) {
  for (const auto& [shape, out, size, stride, padding] : cases_) {
    const Tensor frames = random(shape), weight = random({out, shape[1], size, size}) * 0.2,
                 bias = random({out});
    const Tensor expected = reference::conv2d(frames, weight, bias, stride, padding);
    expect_close(conv2d(channels_last(frames), channels_last(weight), bias, stride, padding), expected);
    expect_close(conv2d(frames, weight, bias, stride, padding), expected);
    expect_close(conv2d(transposed(frames), weight, bias, stride, padding), expected);
    expect_close(conv2d(frames, weight, std::nullopt, stride, padding),
                 reference::conv2d(frames, weight, std::nullopt, stride, padding));
  }
}

TEST_P(Conv2dKernel, AddsAsTheReferenceDoes) {
  for (const auto& [shape, out, size, stride, padding] : cases_) {
    if (stride != 1) continue;
    const Tensor frames = channels_last(random(shape)), bias = random({out});
    const Tensor weight = channels_last(random({out, shape[1], size, size}) * 0.2);
    const Tensor before = at::randn_like(conv2d(frames, weight, bias, 1, padding));
    const Tensor actual = before.clone(), expected = before.clone();
    add_conv2d(actual, frames, weight, bias, padding);
    reference::add_conv2d(expected, frames, weight, bias, padding);
    expect_close(actual, expected);
    // Into some of the frames of a sum.
    const Tensor longer = channels_last(at::cat({before, before}));
    add_conv2d(longer.narrow(0, shape[0], shape[0]), frames, weight, bias, padding);
    expect_close(longer, at::cat({before, expected}));
  }
}

TEST_P(Conv2dKernel, ANaNStaysUnderTheKernel) {
  const Tensor frames = channels_last(random({1, 3, 9, 9})), weight = channels_last(random({4, 3, 3, 3}));
  frames[0][1][4][5].fill_(testing::kNaN);
  const Tensor actual = conv2d(frames, weight, std::nullopt, 1, 1);
  expect_close(actual, reference::conv2d(frames, weight, std::nullopt, 1, 1));
  EXPECT_EQ(actual.isnan().sum().item<int64_t>(), 4 * 9);
}

TEST_P(Conv2dKernel, HasAShapeWithoutValues) {
  for (const auto& [shape, out, size, stride, padding] : cases_) {
    const Tensor frames = channels_last(random(shape)),
                 weight = channels_last(random({out, shape[1], size, size}));
    const Tensor actual = conv2d(frames, weight, std::nullopt, stride, padding);
    const Tensor meta = conv2d(without_values(frames), without_values(weight), std::nullopt, stride, padding);
    EXPECT_EQ(meta.sizes(), actual.sizes());
    EXPECT_TRUE(meta.is_contiguous(at::MemoryFormat::ChannelsLast));
    if (stride == 1) add_conv2d(meta, without_values(frames), without_values(weight), std::nullopt, padding);
  }
}

TEST_P(Conv2dKernel, AsksTheProcessor) {
  const Tensor frames = channels_last(random({1, 3, 9, 9})), weight = channels_last(random({4, 3, 3, 3}));
  const Tensor sum = conv2d(frames, weight, std::nullopt, 1, 1);
  const auto operations = [&] {
    return testing::operations_of([&] {
      conv2d(frames, weight, std::nullopt, 1, 1);
      add_conv2d(sum, frames, weight, std::nullopt, 1);
    });
  };
  const bool able = processor().has_onednn(GetParam().dtype);
  EXPECT_EQ(operations().contains("mkldnn::_convolution_pointwise"), able);
  EXPECT_EQ(operations().contains("mkldnn::_convolution_pointwise_"), able);
  const PretendProcessor pretend(testing::without_onednn());
  EXPECT_FALSE(operations().contains("mkldnn::_convolution_pointwise"));
  EXPECT_FALSE(operations().contains("mkldnn::_convolution_pointwise_"));
}

INSTANTIATE_TEST_SUITE_P(All, Conv2dKernel,
                         ::testing::Values(testing::Precision{at::kFloat, 1e-5},
                                           testing::Precision{at::kBFloat16, 2e-2},
                                           testing::Precision{at::kHalf, 3e-3},
                                           testing::Precision{at::kDouble, 1e-6}),
                         testing::name_of);

}  // namespace
}  // namespace t2v
