#include "tensors/kernels/causal_conv3d.h"

#include "unit/operations.h"
#include "unit/tensors/kernels/kernel_test.h"

namespace t2v {
namespace {

using testing::without_values;

class CausalConv3d : public testing::KernelTest {
 protected:
  struct Case {
    int64_t frames, past, in, out, steps, size, height, width;
  };
  /// The first chunk, the second, later ones; widths that fill no vector; kernels in time alone, in space
  /// alone.
  const std::vector<Case> cases_ = {{1, 0, 3, 5, 3, 3, 4, 5},  {1, 1, 3, 5, 3, 3, 4, 5},
                                    {4, 2, 17, 7, 3, 3, 5, 3}, {4, 1, 16, 16, 3, 3, 8, 8},
                                    {2, 2, 5, 9, 3, 1, 3, 7},  {5, 0, 4, 3, 3, 3, 1, 1},
                                    {3, 0, 3, 2, 1, 3, 5, 4},  {2, 4, 2, 3, 5, 3, 3, 3}};

  struct Input {
    Tensor frames, weight, bias;
    std::vector<Tensor> past;
  };
  Input input(const Case& one) {
    const auto [frames, past, in, out, steps, size, height, width] = one;
    Input made{channels_last(random({frames, in, height, width})),
               causal_conv3d_weight(random({out, in, steps, size, size}) * 0.2),
               random({out}),
               {}};
    for (int64_t i = 0; i < past; ++i) made.past.push_back(channels_last(random({1, in, height, width})));
    return made;
  }
};

TEST_P(CausalConv3d, EqualsTheReference) {
  for (const Case& one : cases_) {
    const auto [frames, weight, bias, past] = input(one);
    const Tensor expected = reference::causal_conv3d(frames, past, weight, bias);
    EXPECT_EQ(expected.sizes(), (std::vector<int64_t>{one.frames, one.out, one.height, one.width}));
    const Tensor actual = causal_conv3d(frames, past, weight, bias);
    expect_close(actual, expected);
    EXPECT_TRUE(actual.is_contiguous(at::MemoryFormat::ChannelsLast));
    expect_close(causal_conv3d(frames, past, weight.contiguous(), std::nullopt),
                 reference::causal_conv3d(frames, past, weight, std::nullopt));
  }
}

TEST_P(CausalConv3d, AddsAsTheReferenceDoes) {
  for (const Case& one : cases_) {
    const auto [frames, weight, bias, past] = input(one);
    const Tensor actual = channels_last(random({one.frames, one.out, one.height, one.width}));
    const Tensor expected = actual.clone();
    add_causal_conv3d(actual, frames, past, weight, bias);
    reference::add_causal_conv3d(expected, frames, past, weight, bias);
    expect_close(actual, expected);
  }
}

TEST_P(CausalConv3d, ChunksMakeTheWhole) {
  const auto [frames, weight, bias, past] = input({5, 0, 3, 4, 3, 3, 4, 4});
  const Tensor whole = causal_conv3d(frames, {}, weight, bias);
  const auto one_by_one = frames.split(1);
  expect_close(causal_conv3d(one_by_one[0], {}, weight, bias), whole.narrow(0, 0, 1));
  expect_close(causal_conv3d(one_by_one[1], {one_by_one[0]}, weight, bias), whole.narrow(0, 1, 1));
  expect_close(causal_conv3d(frames.narrow(0, 2, 3), {one_by_one[0], one_by_one[1]}, weight, bias),
               whole.narrow(0, 2, 3));
}

TEST_P(CausalConv3d, ANaNReachesNoEarlierFrame) {
  // An even number of channels: in bfloat16 oneDNN computes with pairs of them, and lets a NaN into the pixel
  // beside.
  const auto [frames, weight, bias, past] = input({5, 0, 4, 4, 3, 3, 6, 6});
  frames[1][2][3][3].fill_(testing::kNaN);
  const Tensor actual = causal_conv3d(frames, past, weight, bias);
  expect_close(actual, reference::causal_conv3d(frames, past, weight, bias));
  EXPECT_EQ(actual.isnan().sum().item<int64_t>(), 3 * 4 * 9);
  EXPECT_FALSE(actual[0].isnan().any().item<bool>());
}

TEST_P(CausalConv3d, HasAShapeWithoutValues) {
  for (const Case& one : cases_) {
    const auto [frames, weight, bias, past] = input(one);
    std::vector<Tensor> past_without;
    for (const Tensor& frame : past) past_without.push_back(without_values(frame));
    const Tensor meta =
        causal_conv3d(without_values(frames), past_without, without_values(weight), without_values(bias));
    expect_alike(meta, causal_conv3d(frames, past, weight, bias));
    add_causal_conv3d(meta, without_values(frames), past_without, without_values(weight), std::nullopt);
  }
}

TEST_P(CausalConv3d, AsksTheProcessor) {
  const auto [frames, weight, bias, past] = input({2, 2, 3, 4, 3, 3, 4, 4});
  const auto takes_onednn = [&] {
    return testing::operations_of([&] { causal_conv3d(frames, past, weight, bias); })
        .contains("mkldnn::_convolution_pointwise_");
  };
  EXPECT_EQ(takes_onednn(), processor().has_onednn(GetParam().dtype));
  const Tensor fast = causal_conv3d(frames, past, weight, bias);
  const PretendProcessor pretend(testing::without_onednn());
  EXPECT_FALSE(takes_onednn());
  expect_close(causal_conv3d(frames, past, weight, bias), fast);
}

INSTANTIATE_TEST_SUITE_P(All, CausalConv3d,
                         ::testing::Values(testing::Precision{at::kFloat, 1e-5},
                                           testing::Precision{at::kBFloat16, 3e-2},
                                           testing::Precision{at::kHalf, 4e-3},
                                           testing::Precision{at::kDouble, 1e-6}),
                         testing::name_of);

}  // namespace
}  // namespace t2v
