#include "engine/pipelines/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/other_family.h"

namespace t2v {
namespace {

/// Samples two runs of one frame.
class OtherPipeline final : public VideoPipeline {
 public:
  void sample(const OnLatents& on_latents) override {
    for (const double value : {1, 2}) on_latents({{kVideoLatents, at::full({1, 4, 1, 2, 2}, value)}});
  }
  void decode(const Latents&, const OnFrames&) override {}
  std::optional<int64_t> skipped_steps() const override { return {}; }
};

std::unique_ptr<VideoPipeline> make_other(RenderJob, ModelStore&, const RunControl&) {
  return std::make_unique<OtherPipeline>();
}

class RegistryTest : public ::testing::Test {
 protected:
  testing::OtherFamily family_;
  Checkpoint checkpoint_{.family = &family_, .origin = "a model"};
};

TEST_F(RegistryTest, MakesThePipelineOfTheCheckpointsFamily) {
  const RegisteredPipelines registered({.family = "Other",
                                        .max_sequence_length = 7,
                                        .make_pipeline = make_other,
                                        .make_cost_model = nullptr,
                                        .construct = nullptr,
                                        .keep_in_fp32 = nullptr});
  EXPECT_EQ(pipelines_of(checkpoint_).max_sequence_length, 7);
  ModelStore models;
  const RunControl control;
  const auto pipeline = make_pipeline({checkpoint_, {}, {}, {}}, models, control);
  const Tensor latents = sample_all(*pipeline).at(kVideoLatents);
  EXPECT_EQ(latents.sizes(), (std::vector<int64_t>{1, 4, 2, 2, 2}));
  EXPECT_EQ(latents.select(2, 1).min().item<double>(), 2);
}

TEST_F(RegistryTest, RefusesAFamilyWithoutPipelines) {
  try {
    pipelines_of(checkpoint_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBug);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("Other"));
  }
}

TEST(PipelineRegistry, HasAnEntryForEveryFamily) {
  for (const Family* family : families()) {
    const Checkpoint checkpoint{.family = family, .origin = "a model"};
    EXPECT_EQ(pipelines_of(checkpoint).family, family->name());
  }
}

}  // namespace
}  // namespace t2v
