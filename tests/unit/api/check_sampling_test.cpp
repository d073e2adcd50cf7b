#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/checks.h"
#include "api/presets.h"
#include "t2v/error.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

class CheckSamplingTest : public ::testing::Test {
 protected:
  CheckedSampling checked(const Sampling& asked) const {
    return check_sampling(asked, find_preset(checkpoint_, model_), checkpoint_);
  }

  void expect_error(const Sampling& asked, ErrorCode code, const std::string& part) const {
    try {
      checked(asked);
      FAIL() << "expected an error with " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }

  /// Makes the transformer as large as that of Wan2.1-T2V-14B.
  void enlarge() {
    const nlohmann::json config = {
        {"num_attention_heads", 40}, {"num_layers", 40}, {"in_channels", 16}, {"out_channels", 16}};
    checkpoint_.components.at("transformer").config = Config(config, "test");
  }

  Checkpoint checkpoint_ = Checkpoint::open({.model = T2V_FIXTURES "/tiny-wan"});
  ModelChoice model_{.model = "model"};
};

TEST_F(CheckSamplingTest, StepsOfOnesOwnAreNotThePresetsNoiseLevels) {
  enlarge();
  model_.parts["transformer"] = "Wan2.1_t2v_14b_distill.safetensors";
  const CheckedSampling sampling = checked({.num_inference_steps = 8});
  EXPECT_EQ(sampling.num_inference_steps, 8);
  EXPECT_TRUE(sampling.sigmas.empty());
}

TEST_F(CheckSamplingTest, TheGuidanceOfOnesOwnIsBothExperts) {
  enlarge();
  checkpoint_.components.emplace("transformer_2", checkpoint_.get("transformer"));
  checkpoint_.index = Config({{"_class_name", "WanPipeline"}, {"boundary_ratio", 0.7}}, "test");
  const CheckedSampling sampling = checked({.guidance_scale = 6.0});
  EXPECT_FALSE(sampling.guidance_scale_2.has_value());
  EXPECT_EQ(*sampling.boundary_ratio, 0.7);  // the checkpoint's own before the preset's
}

TEST_F(CheckSamplingTest, TakesTheShiftOfTheSchedulerInUse) {
  // What FlowMatchEulerDiscreteScheduler.from_config(unipc.config, shift=7.0) writes.
  nlohmann::json scheduler = checkpoint_.scheduler.json();
  scheduler.update({{"_class_name", "FlowMatchEulerDiscreteScheduler"}, {"shift", 7.0}});
  checkpoint_.scheduler = Config(scheduler, "test");
  EXPECT_EQ(checked({}).sampler, "euler");
  EXPECT_EQ(checked({}).flow_shift, 7.0);
  EXPECT_EQ(checked({.sampler = "unipc"}).flow_shift, 3.0);
  EXPECT_EQ(checked({.sampler = "unipc", .flow_shift = 5.0}).flow_shift, 5.0);
}

TEST_F(CheckSamplingTest, CarriesTheShiftToTheOtherSampler) {
  EXPECT_EQ(checked({.sampler = "euler"}).flow_shift, 3.0);
}

TEST_F(CheckSamplingTest, ASamplerStandsInForAnUnknownClass) {
  checkpoint_.scheduler = Config({{"_class_name", "DDIMScheduler"}, {"flow_shift", 3.0}}, "test");
  expect_error({}, ErrorCode::kInput, "DDIMScheduler");
  EXPECT_EQ(checked({.sampler = "unipc"}).sampler, "unipc");
}

TEST_F(CheckSamplingTest, SigmasAreTheSteps) {
  EXPECT_EQ(checked({.sigmas = {1.0, 0.5, 0.2}}).num_inference_steps, 3);
  expect_error({.num_inference_steps = 4, .sigmas = {1.0, 0.5, 0.2}}, ErrorCode::kUsage, "`sigmas`");
}

TEST_F(CheckSamplingTest, EmptyValuesComeFromThePreset) {
  const Config preset = find_preset(checkpoint_, model_);
  EXPECT_EQ(checked({}).num_inference_steps, preset_integer(preset, "num_inference_steps"));
  EXPECT_EQ(checked({}).guidance_scale, preset_number(preset, "guidance_scale"));
  EXPECT_EQ(checked({.seed = 7}).seed, 7U);
}

TEST_F(CheckSamplingTest, TheOptionsOfOnesOwnComeAfterThePresets) {
  const Config preset(nlohmann::json{{"teacache", {"threshold=0.2"}}}, "test");
  const auto options = [&](const StepCaching& asked) { return check_caching(asked, preset, 20).options; };
  const std::vector<std::string> both = {"threshold=0.2", "coefficients=1,2"};
  EXPECT_EQ(options({"teacache", {"coefficients=1,2"}}), both);
  EXPECT_EQ(options({"teacache", both}), both);
  EXPECT_TRUE(options({"none", {}}).empty());
}

}  // namespace
}  // namespace t2v
