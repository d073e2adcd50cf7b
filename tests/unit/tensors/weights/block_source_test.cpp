#include "tensors/weights/block_source.h"

#include <atomic>
#include <memory>

#include <gtest/gtest.h>

#include "t2v/run.h"
#include "unit/tensors.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

std::atomic<int> living = 0;
std::atomic<int> most_living = 0;

struct Counted {
  Counted() {
    const int now = ++living;
    for (int most = most_living; now > most && !most_living.compare_exchange_weak(most, now);) {
    }
  }
  ~Counted() { --living; }
};

/// A block that is one number; its copies are the same block.
struct Number {
  Tensor value;
  std::shared_ptr<Counted> counted = std::make_shared<Counted>();
};

constexpr int kCount = 7;

Weights numbers(int64_t count = kCount) {
  std::vector<std::pair<std::string, Tensor>> tensors;
  for (int64_t i = 0; i < count; ++i) {
    tensors.emplace_back("blocks." + std::to_string(i) + ".value", at::full({1}, i + 1.0));
  }
  return testing::weights_of(tensors);
}

BlockSource<Number> make_source(const Weights& weights, BlockResidency residency) {
  const auto build = [](const Weights& block, int64_t) { return Number{block.tensor("value", {1})}; };
  return {weights["blocks"], kCount, build, residency};
}

struct Case {
  BlockResidency residency;
  int most;  ///< blocks that may be alive at once
};

class Residency : public ::testing::TestWithParam<Case> {};

TEST_P(Residency, HandsOutEveryBlockAndKeepsFew) {
  const Weights weights = numbers();
  const BlockSource<Number> source = make_source(weights, GetParam().residency);
  EXPECT_NO_THROW(weights.expect_all_used());
  EXPECT_EQ(source.size(), kCount);
  for (int walk = 0; walk < 3; ++walk) {
    most_living = living.load();
    BlockSource<Number>::Pass pass(source);
    for (int i = 0; i < kCount; ++i) EXPECT_EQ(pass.next().value.item<double>(), i + 1);
    EXPECT_LE(most_living, GetParam().most);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Residency,
                         ::testing::Values(Case{{}, kCount}, Case{{.resident = 0}, 1},
                                           Case{{.resident = 3}, 4}, Case{{.resident = kCount}, kCount},
                                           Case{{.resident = 0, .ahead = 1}, 2},
                                           Case{{.resident = 2, .ahead = 2}, 5},
                                           Case{{.resident = 0, .ahead = 100}, kCount}));

TEST(BlockSource, EndsAWalkInTheMiddle) {
  const Weights weights = numbers();
  const BlockSource<Number> source = make_source(weights, {.resident = 1, .ahead = 2});
  const int before = living;
  {
    BlockSource<Number>::Pass pass(source);
    pass.next();
    pass.next();
  }
  EXPECT_EQ(living, before);
}

TEST(BlockSource, AWalkCanBeEnded) {
  const Weights weights = numbers();
  int walked = 0;
  const auto stop_at_the_third = [&] {
    if (++walked == 3) throw Stopped{};
  };
  for (const int64_t resident : {0, kCount}) {
    walked = 0;
    const BlockSource<Number> source =
        make_source(weights, {.resident = resident, .ahead = 2, .before_each = stop_at_the_third});
    BlockSource<Number>::Pass pass(source);
    EXPECT_EQ(pass.next().value.item<double>(), 1);
    EXPECT_EQ(pass.next().value.item<double>(), 2);
    EXPECT_THROW(pass.next(), Stopped);
  }
}

TEST(BlockSource, MissesABlockThatDoesNotStay) {
  const Weights weights = numbers(kCount - 1);
  EXPECT_THAT(error_of([&] { make_source(weights, {.resident = 0}); }), HasSubstr("blocks.6.value"));
}

}  // namespace
}  // namespace t2v
