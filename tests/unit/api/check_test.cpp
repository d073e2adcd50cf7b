#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "api/settings.h"
#include "t2v/error.h"
#include "t2v/generate.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A copy of the tiny checkpoint, whose configurations a test may change.
class CheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("t2v_api_" + std::to_string(::getpid()));
    fs::create_directory(folder_);
    fs::copy(fs::path(T2V_FIXTURES) / "tiny-wan", folder_ / "model", fs::copy_options::recursive);
    request_.prompt = "a red ball";
    request_.model = folder_ / "model";
    request_.output = folder_ / "clip.mp4";
  }
  void TearDown() override { fs::remove_all(folder_); }

  void change(const std::string& name, const nlohmann::json& changes) const {
    const fs::path file = folder_ / "model" / name;
    nlohmann::json values = nlohmann::json::parse(std::ifstream(file));
    values.update(changes);
    std::ofstream(file) << values;
  }

  void expect_error(ErrorCode code, const std::string& part) const {
    try {
      check(request_);
      FAIL() << "expected an error with " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }

  fs::path folder_;
  GenerateRequest request_;
};

TEST_F(CheckTest, FillsWhatTheReferenceWouldTake) {
  const GenerateRequest checked = check(request_);
  EXPECT_EQ(*checked.height, 480);
  EXPECT_EQ(*checked.width, 832);
  EXPECT_EQ(*checked.num_frames, 81);
  EXPECT_EQ(*checked.num_inference_steps, 50);
  EXPECT_EQ(*checked.guidance_scale, 5.0);
  EXPECT_EQ(*checked.negative_prompt, "");
  EXPECT_EQ(*checked.sampler, "unipc");
  EXPECT_EQ(*checked.flow_shift, 3.0);
  EXPECT_TRUE(checked.seed.has_value());
}

TEST_F(CheckTest, FindsThePresetOfAPublishedModel) {
  change("transformer/config.json", {{"num_layers", 40}, {"num_attention_heads", 40}});
  EXPECT_EQ(*check(request_).width, 1280);
}

TEST_F(CheckTest, TheBundledModelHasAPreset) {
  request_.model.clear();
  EXPECT_LE(*check(request_).width, 128);
}

TEST_F(CheckTest, TakesTheShiftOfTheSchedulerInUse) {
  // What FlowMatchEulerDiscreteScheduler.from_config(unipc.config, shift=7.0) writes.
  change("scheduler/scheduler_config.json",
         {{"_class_name", "FlowMatchEulerDiscreteScheduler"}, {"shift", 7.0}});
  EXPECT_EQ(*check(request_).sampler, "euler");
  EXPECT_EQ(*check(request_).flow_shift, 7.0);
  request_.sampler = "unipc";
  EXPECT_EQ(*check(request_).flow_shift, 3.0);
  request_.flow_shift = 5.0;
  EXPECT_EQ(*check(request_).flow_shift, 5.0);
}

TEST_F(CheckTest, CarriesTheShiftToTheOtherSampler) {
  request_.sampler = "euler";
  EXPECT_EQ(*check(request_).flow_shift, 3.0);
}

TEST_F(CheckTest, ASamplerStandsInForAnUnknownClass) {
  change("scheduler/scheduler_config.json", {{"_class_name", "DDIMScheduler"}});
  expect_error(ErrorCode::kInput, "DDIMScheduler");
  request_.sampler = "unipc";
  EXPECT_EQ(*check(request_).sampler, "unipc");
}

TEST_F(CheckTest, ATransformerAndAVaeBelongTogether) {
  change("vae/config.json", {{"z_dim", 48}});
  expect_error(ErrorCode::kInput, "in_channels");
}

TEST_F(CheckTest, NamesTheNearestFramesAndSizes) {
  request_.num_frames = 80;
  expect_error(ErrorCode::kUsage, "use 77 or 81");
  request_.num_frames = 100002;
  expect_error(ErrorCode::kUsage, "use 100001");
  request_.num_frames = 81;
  request_.width = 833;
  request_.height = 481;
  expect_error(ErrorCode::kUsage, "832x480");
}

TEST_F(CheckTest, ADurationIsAWholeNumberOfFrames) {
  request_.fps = 16;
  request_.duration = 5.0625;
  EXPECT_EQ(*check(request_).num_frames, 81);
  request_.duration = 5;
  expect_error(ErrorCode::kUsage, "--frames 77 or 81");
}

TEST_F(CheckTest, SigmasAreTheSteps) {
  request_.sigmas = {1.0, 0.5, 0.2};
  EXPECT_EQ(*check(request_).num_inference_steps, 3);
  request_.num_inference_steps = 4;
  expect_error(ErrorCode::kUsage, "--sigmas");
}

TEST_F(CheckTest, RefusesFactorsThatOverflow) {
  change("vae/config.json", {{"scale_factor_spatial", 1 << 24}});
  expect_error(ErrorCode::kInput, "scale_factor_spatial");
}

TEST_F(CheckTest, SettingsHoldTheSeedAsText) {
  request_.seed = UINT64_MAX;
  request_.prompt = "\"quoted\" 球 \n";
  const auto settings = nlohmann::json::parse(settings_json(check(request_), "cpu"));
  EXPECT_EQ(settings.at("seed"), "18446744073709551615");
  EXPECT_EQ(settings.at("prompt"), request_.prompt);
  EXPECT_EQ(settings.at("device"), "cpu");
  EXPECT_FALSE(settings.contains("sigmas"));
}

}  // namespace
}  // namespace t2v
