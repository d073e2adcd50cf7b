#include "tensors/cost.h"

#include <thread>

#include <gtest/gtest.h>

namespace t2v {
namespace {

Tensor floats(int64_t count) { return at::empty({count}, at::device(at::kMeta).dtype(at::kFloat)); }

TEST(CostTest, CountsWhatIsAllocatedAtOnce) {
  const Tensor before = floats(1000);
  Tensor kept;
  const Cost cost = cost_of({}, [&] {
    { const Tensor a = floats(10), b = floats(20); }
    kept = floats(25);
    kept.view({5, 5}).add_(1);
  });
  EXPECT_EQ(cost.peak_bytes, 120);
  EXPECT_EQ(cost.kept_bytes, 100);
  EXPECT_EQ(cost.flops, 0);
}

TEST(CostTest, ATensorMayOutliveItsCount) {
  Tensor kept;
  cost_of({}, [&] { kept = floats(10); });
  const Cost cost = cost_of({}, [&] {
    kept = Tensor();
    kept = floats(20);
  });
  EXPECT_EQ(cost.kept_bytes, 80);
}

TEST(CostTest, SmallTensorsTakeMoreOnAHeap) {
  const Allocation heap{.small = 400, .overhead = 1.8, .least_overhead = 1.4};
  const auto bytes = [&](int64_t count) { return cost_of(heap, [&] { floats(count); }).peak_bytes; };
  EXPECT_DOUBLE_EQ(bytes(100), 400);
  EXPECT_DOUBLE_EQ(bytes(50), 200 * 1.6);
  EXPECT_NEAR(bytes(1), 4 * 1.8, 0.1);
}

TEST(CostTest, CountsProductsAndAttention) {
  const auto meta = at::device(at::kMeta).dtype(at::kFloat);
  const Cost cost = cost_of({}, [&] {
    at::linear(at::empty({2, 3, 5}, meta), at::empty({7, 5}, meta));
    at::conv2d(at::empty({1, 3, 8, 8}, meta), at::empty({4, 3, 3, 3}, meta));
    const Tensor heads = at::empty({1, 2, 10, 8}, meta);
    at::scaled_dot_product_attention(heads, heads, heads);
  });
  EXPECT_EQ(cost.attention, 4 * 2 * 10 * 10 * 8);
  EXPECT_EQ(cost.flops - cost.attention, 2 * 6 * 5 * 7 + 2 * 4 * 36 * 27);
}

TEST(CostTest, IsOfOneThread) {
  const Cost cost = cost_of(gpu_allocation(), [&] {
    EXPECT_FALSE(counts_for_cpu());
    floats(1);
    std::thread([] {
      EXPECT_TRUE(counts_for_cpu());
      floats(1000);
    }).join();
  });
  EXPECT_EQ(cost.peak_bytes, 4);
}

}  // namespace
}  // namespace t2v
