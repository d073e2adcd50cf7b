#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

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
    request_.model.model = folder_ / "model";
    request_.outputs.output = folder_ / "clip.mp4";
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
  const CheckedRequest checked = check(request_);
  EXPECT_EQ(checked.size.height, 480);
  EXPECT_EQ(checked.size.width, 832);
  EXPECT_EQ(checked.size.num_frames, 81);
  EXPECT_EQ(checked.sampling.num_inference_steps, 50);
  EXPECT_EQ(checked.sampling.guidance_scale, 5.0);
  EXPECT_EQ(checked.negative_prompt, "");
  EXPECT_EQ(checked.sampling.sampler, "unipc");
  EXPECT_EQ(checked.sampling.flow_shift, 3.0);
}

TEST_F(CheckTest, TheBundledModelHasAPreset) {
  request_.model.model.clear();
  EXPECT_LE(check(request_).size.width, 128);
}

TEST_F(CheckTest, ATransformerAndAVaeBelongTogether) {
  change("vae/config.json", {{"z_dim", 48}});
  expect_error(ErrorCode::kInput, "in_channels");
}

TEST_F(CheckTest, RefusesFactorsThatOverflow) {
  change("vae/config.json", {{"scale_factor_spatial", 1 << 24}});
  expect_error(ErrorCode::kInput, "scale_factor_spatial");
}

}  // namespace
}  // namespace t2v
