#include "tensors/kernels/channel_rms_norm.h"

#include "unit/tensors/kernels/kernel_test.h"

namespace t2v {
namespace {

using testing::without_values;

class ChannelRMSNormKernel : public testing::KernelTest {
 protected:
  /// Calls `check` for every kind of vectors that this machine has.
  template <typename Check>
  static void with_all_vectors(const Check& check) {
    const Processor machine = processor();
    for (const Vectors vectors : {Vectors::kBaseline, Vectors::kAvx2, Vectors::kAvx512}) {
      if (vectors > machine.vectors) break;
      Processor lesser = machine;
      lesser.vectors = vectors;
      const PretendProcessor pretend(lesser);
      check();
    }
  }
};

TEST_P(ChannelRMSNormKernel, EqualsTheReference) {
  // Channels that fill no vector, some, and several; enough pixels for several threads.
  for (const std::vector<int64_t>& shape : std::vector<std::vector<int64_t>>{
           {1, 1, 1, 1}, {2, 3, 5, 7}, {1, 17, 3, 3}, {3, 48, 4, 5}, {1, 129, 2, 2}, {2, 65, 40, 33}}) {
    const Tensor x = random(shape), gamma = random({shape[1]});
    for (const bool silu : {false, true}) {
      const Tensor expected = reference::channel_rms_norm(x, gamma, silu);
      with_all_vectors([&] {
        expect_close(channel_rms_norm(channels_last(x), gamma, silu), expected);
        expect_close(channel_rms_norm(x, gamma, silu), expected);
        expect_close(channel_rms_norm(transposed(x), gamma, silu), expected);
      });
    }
  }
}

TEST_P(ChannelRMSNormKernel, TakesZerosAndLargeNumbers) {
  const Tensor x = channels_last(random({1, 19, 4, 4}));
  x.select(2, 0).fill_(0);
  x.select(2, 1).mul_(1e4);
  x.select(2, 2).mul_(1e-4);
  const Tensor gamma = random({19}) * 20;  // SiLU of numbers up to a hundred
  with_all_vectors(
      [&] { expect_close(channel_rms_norm(x, gamma, true), reference::channel_rms_norm(x, gamma, true)); });
}

TEST_P(ChannelRMSNormKernel, ANaNStaysInItsPixel) {
  const Tensor x = channels_last(random({1, 19, 4, 4})), gamma = random({19});
  x[0][7][2][1].fill_(testing::kNaN);
  for (const bool silu : {false, true}) {
    with_all_vectors([&] {
      const Tensor actual = channel_rms_norm(x, gamma, silu);
      expect_close(actual, reference::channel_rms_norm(x, gamma, silu));
      EXPECT_EQ(actual.isnan().sum().item<int64_t>(), 19);
    });
  }
}

TEST_P(ChannelRMSNormKernel, HasAShapeWithoutValues) {
  const Tensor x = channels_last(random({2, 3, 4, 5})), gamma = random({3});
  expect_alike(channel_rms_norm(without_values(x), without_values(gamma), true),
               channel_rms_norm(x, gamma, true));
}

INSTANTIATE_TEST_SUITE_P(All, ChannelRMSNormKernel,
                         ::testing::Values(testing::Precision{at::kFloat, 2e-6},
                                           testing::Precision{at::kBFloat16, 2e-2},
                                           testing::Precision{at::kHalf, 3e-3}),
                         testing::name_of);

}  // namespace
}  // namespace t2v
