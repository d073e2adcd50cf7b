// The step caches around a real transformer, beside what the reference makes of them.
#include "sampling/caching/step_cache.h"

#include <gtest/gtest.h>

#include "core/config.h"
#include "networks/transformers/transformer_wan.h"
#include "unit/tensors.h"

namespace t2v {
namespace {

using testing::open_fixture;
using testing::relative_error;

const std::filesystem::path kFolder = std::filesystem::path(T2V_FIXTURES) / "tiny-wan/transformer";
constexpr int64_t kSteps = 16;

/// A clip of the tiny checkpoint, as make_caching.py samples it.
class StepCaches : public ::testing::Test {
 protected:
  Weights golden_ = open_fixture("transformers/step_caches.safetensors");
  WanTransformer3DModel model_{Weights::open_folder(kFolder, "diffusion_pytorch_model", {}),
                               WanTransformer3DConfig::from_config(Config::read(kFolder / "config.json"))};
  std::vector<TextContext> prompts_{prepare("cond"), prepare("uncond")};
  std::vector<int64_t> skipped_;  ///< 1 for each step that was

  TextContext prepare(const std::string& name) const {
    const Tensor rows = golden_.tensor(name);
    return model_.prepare(at::constant_pad_nd(rows, {0, 0, 0, 512 - rows.size(1)}));
  }

  std::vector<double> numbers(const std::string& name) const {
    const Tensor values = golden_.tensor(name).to(at::kDouble).contiguous();
    return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
  }

  Tensor predict(size_t prompt, const Tensor& latents, const Tensor& timestep, StepCache* cache) const {
    if (cache == nullptr) return model_.forward(latents, timestep, prompts_[prompt]);
    if (cache->around() == StepCache::Around::kModel) {
      return cache->run(prompt, latents, {},
                        [&] { return model_.forward(latents, timestep, prompts_[prompt]); });
    }
    return model_.forward(latents, timestep, prompts_[prompt],
                          [&](const Tensor& x, const Tensor& temb, const std::function<Tensor()>& blocks) {
                            return cache->run(prompt, x, temb, blocks);
                          });
  }

  Tensor sample(StepCache* cache) {
    const Tensor sigmas = golden_.tensor("sigmas");
    Tensor latents = golden_.tensor("latents");
    for (int64_t step = 0; step < kSteps; ++step) {
      const int64_t before = cache == nullptr ? 0 : cache->skipped();
      const Tensor timestep = (1000 * sigmas[step]).reshape({1});
      const Tensor cond = predict(0, latents, timestep, cache);
      const Tensor uncond = predict(1, latents, timestep, cache);
      latents = latents + (sigmas[step + 1] - sigmas[step]) * (uncond + 3.0 * (cond - uncond));
      skipped_.push_back(cache == nullptr ? 0 : cache->skipped() - before);
    }
    return latents;
  }

  void expect_golden(const std::string& name, const StepCacheOptions& options) {
    const auto cache = StepCache::make(options, {.first = 0, .count = kSteps, .total = kSteps});
    const Tensor latents = sample(cache.get());
    EXPECT_TRUE(at::equal(at::tensor(skipped_, at::kLong), golden_.tensor(name + ".skipped")));
    EXPECT_LE(relative_error(latents, golden_.tensor(name)), 1e-5);
    EXPECT_GT(cache->skipped(), 3);
  }
};

TEST_F(StepCaches, WithoutOneAllIsComputed) {
  EXPECT_EQ(StepCache::make({}, {.first = 0, .count = kSteps, .total = kSteps}), nullptr);
  EXPECT_LE(relative_error(sample(nullptr), golden_.tensor("none")), 1e-5);
}

TEST_F(StepCaches, TeaCacheEqualsTheAuthors) {
  expect_golden("teacache", {.mode = CacheMode::kTeaCache,
                             .threshold = 0.7,
                             .first = 1,
                             .last = 1,
                             .coefficients = numbers("teacache.coefficients")});
}

TEST_F(StepCaches, MagCacheEqualsDiffusers) {
  // A fifth of 16 steps is 3.2.
  expect_golden("magcache", {.mode = CacheMode::kMagCache,
                             .threshold = 0.5,
                             .first = 3,
                             .max_skip = 2,
                             .ratios = numbers("magcache.ratios")});
}

TEST_F(StepCaches, EasyCacheEqualsTheAuthors) {
  expect_golden("easycache", {.mode = CacheMode::kEasyCache, .threshold = 1.2, .first = 4, .last = 1});
}

TEST_F(StepCaches, CalibrationEqualsDiffusersAndSkipsNothing) {
  const auto cache =
      StepCache::make({.mode = CacheMode::kMagCache, .threshold = 0.5, .max_skip = 2, .calibrate = true},
                      {.first = 0, .count = kSteps, .total = kSteps});
  EXPECT_LE(relative_error(sample(cache.get()), golden_.tensor("none")), 1e-5);
  EXPECT_EQ(cache->skipped(), 0);
  const std::string begin = "`cache_option` ratios=";
  ASSERT_EQ(cache->found().substr(0, begin.size()), begin);
  const StepCacheOptions found =
      read_cache_options("magcache", {cache->found().substr(std::string("`cache_option` ").size())}, kSteps);
  const std::vector<double> expected = numbers("magcache.calibrated");
  ASSERT_EQ(found.ratios.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found.ratios[i], expected[i], 1e-5) << i;
}

}  // namespace
}  // namespace t2v
