#include "engine/bench/bench_timer.h"

#include <gtest/gtest.h>

namespace t2v {
namespace {

/// What is noted of short work, on a machine whose meter says `joules` one after the other and then nothing.
BenchResult timed(std::vector<std::optional<double>> joules) {
  size_t read = 0;
  const RunControl control;
  const BenchTimer timer(at::kCPU, 5, control,
                         {.joules = [&] { return read < joules.size() ? joules[read++] : std::nullopt; },
                          .megahertz = [] { return std::nullopt; }});
  BenchResult result;
  result.tflop = 1;
  timer.time(result, [] {});
  return result;
}

TEST(BenchTimer, NotesTheEnergyOfARun) {
  const BenchResult result = timed({1000, 1050});
  ASSERT_TRUE(result.joules.has_value());
  EXPECT_DOUBLE_EQ(*result.joules, 50.0 / static_cast<double>(result.times.runs.size()));
}

TEST(BenchTimer, KnowsNoEnergyWhenTheMeterFails) {
  EXPECT_FALSE(timed({}).joules.has_value());
  EXPECT_FALSE(timed({1000}).joules.has_value()) << "it failed after its first reading";
  EXPECT_FALSE(timed({std::nullopt, 1050}).joules.has_value());
  EXPECT_FALSE(timed({1000, 20}).joules.has_value()) << "it began anew";
  EXPECT_GE(timed({1000}).times.runs.size(), 5U) << "the times are there all the same";
}

TEST(BenchCeiling, IsOfProductsAlone) {
  BenchCeiling ceiling(at::kCPU);
  const double before = ceiling.last(at::kFloat);
  EXPECT_GT(before, 0);
  EXPECT_EQ(ceiling.last(at::kFloat), before);
  EXPECT_GE(ceiling.around(at::kFloat, before, before / 2), before);
  const double around = ceiling.around(at::kFloat, before, 1e6);
  EXPECT_GE(around, before);
  EXPECT_LT(around, 1e6) << "no product was so fast";
  ASSERT_EQ(ceiling.highest().size(), 1U);
  EXPECT_EQ(ceiling.highest()[0].first, "float32");
  EXPECT_LT(ceiling.highest()[0].second, 1e6);
}

}  // namespace
}  // namespace t2v
