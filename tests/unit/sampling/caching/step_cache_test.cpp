#include "sampling/caching/step_cache.h"

#include <map>

#include <gtest/gtest.h>

#include "t2v/limits.h"

namespace t2v {
namespace {

/// Runs `count` steps of a model that adds 10 * (step + 1), and 100 times that for the second prompt; gives
/// which were computed.
std::vector<bool> run(StepCache& cache, int64_t count, int64_t prompts = 2) {
  std::vector<bool> computed;
  for (int64_t step = 0; step < count; ++step) {
    const Tensor input = at::full({1, 2, 3}, static_cast<double>(step)),
                 temb = at::full({1, 4}, 1 + 0.1 * step);
    bool both[2] = {false, false};
    for (int64_t prompt = 0; prompt < prompts; ++prompt) {
      const double added = 10.0 * static_cast<double>(step + 1) * (prompt == 0 ? 1 : 100);
      const Tensor output = cache.run(static_cast<size_t>(prompt), input, temb, [&] {
        both[prompt] = true;
        return input + added;
      });
      // What was skipped adds what the same prompt added when it was computed last.
      if (both[prompt])
        EXPECT_TRUE(at::equal(output, input + added));
      else
        EXPECT_TRUE(((output - input) / (prompt == 0 ? 1 : 100) < added + 1).all().item<bool>());
    }
    EXPECT_TRUE(prompts == 1 || both[0] == both[1]) << step;
    computed.push_back(both[0]);
  }
  return computed;
}

TEST(StepCache, ComputesTheFirstAndTheLastSteps) {
  const StepSpan span{.first = 0, .count = 9, .total = 9};
  for (const StepCacheOptions& options :
       {StepCacheOptions{
            .mode = CacheMode::kTeaCache, .threshold = 1000, .first = 2, .last = 3, .coefficients = {1, 0}},
        StepCacheOptions{.mode = CacheMode::kMagCache,
        .threshold = 1000,
        .first = 2,
        .last = 3,
        .max_skip = 99,
        .ratios = {1}},
        StepCacheOptions{.mode = CacheMode::kEasyCache, .threshold = 1000, .first = 2, .last = 3}}) {
    const auto cache = StepCache::make(options, span);
    EXPECT_EQ(run(*cache, 9), (std::vector<bool>{true, true, false, false, false, false, true, true, true}))
        << static_cast<int>(options.mode);
    EXPECT_EQ(cache->skipped(), 4) << static_cast<int>(options.mode);
  }
}

TEST(StepCache, EveryModeButNoneHasACacheThatSkips) {
  const std::map<std::string, std::vector<std::string>> options = {
      {"none", {}},
      {"teacache", {"coefficients=1,0", "threshold=1000"}},
      {"magcache", {"ratios=1", "threshold=1000"}},
      {"easycache", {"first=2", "threshold=1000"}}};
  for (const std::string& name : cache_mode_names()) {
    const auto cache =
        StepCache::make(read_cache_options(name, options.at(name), 9), {.first = 0, .count = 9, .total = 9});
    ASSERT_EQ(cache == nullptr, name == "none") << name;
    if (!cache) continue;
    run(*cache, 9);
    EXPECT_GT(cache->skipped(), 0) << name;
  }
}

TEST(StepCache, NothingIsSkippedBeforeSomethingIsComputed) {
  for (const CacheMode mode : {CacheMode::kTeaCache, CacheMode::kMagCache, CacheMode::kEasyCache}) {
    const auto cache = StepCache::make(
        {.mode = mode, .threshold = 1000, .max_skip = 99, .coefficients = {1, 0}, .ratios = {1}},
        {.first = 5, .count = 4, .total = 9});
    EXPECT_TRUE(run(*cache, 4)[0]) << static_cast<int>(mode);
  }
}

TEST(StepCache, AThresholdOfNothingSkipsNothing) {
  for (const CacheMode mode : {CacheMode::kTeaCache, CacheMode::kEasyCache}) {
    const auto cache = StepCache::make({.mode = mode, .threshold = 0, .coefficients = {1, 0}},
                                       {.first = 0, .count = 9, .total = 9});
    run(*cache, 9);
    EXPECT_EQ(cache->skipped(), 0) << static_cast<int>(mode);
  }
}

TEST(StepCache, MagCacheSkipsNoMoreInARowThanItMay) {
  const auto cache = StepCache::make(
      {.mode = CacheMode::kMagCache, .threshold = 9, .first = 1, .max_skip = 2, .ratios = {1}},
      {.first = 0, .count = 8, .total = 8});
  EXPECT_EQ(run(*cache, 8, /*prompts=*/1),
            (std::vector<bool>{true, false, false, true, false, false, true, false}));
}

TEST(StepCache, MagCacheStretchesItsTable) {
  // Three ratios for seven steps: of 0 0 1 1 1 2 2, of which the one in the middle allows nothing.
  const auto cache =
      StepCache::make({.mode = CacheMode::kMagCache, .threshold = 0.5, .max_skip = 9, .ratios = {1, 9, 1}},
                      {.first = 0, .count = 7, .total = 7});
  EXPECT_EQ(run(*cache, 7), (std::vector<bool>{true, false, true, true, true, false, false}));
}

TEST(StepCache, ASecondExpertUsesItsPartOfTheTable) {
  // Ratios of 1 for the first half of the clip and of 3 for the second, which exceeds the threshold at once.
  const StepCacheOptions options{
      .mode = CacheMode::kMagCache, .threshold = 0.5, .max_skip = 9, .ratios = {1, 1, 1, 1, 3, 3, 3, 3}};
  const auto high = StepCache::make(options, {.first = 0, .count = 4, .total = 8});
  const auto low = StepCache::make(options, {.first = 4, .count = 4, .total = 8});
  run(*high, 4);
  run(*low, 4);
  EXPECT_EQ(high->skipped(), 3);
  EXPECT_EQ(low->skipped(), 0);
}

}  // namespace
}  // namespace t2v
