#include "api/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/presets.h"
#include "t2v/error.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

const Checkpoint& tiny_wan() {
  static const Checkpoint checkpoint = Checkpoint::open({.model = T2V_FIXTURES "/tiny-wan"});
  return checkpoint;
}

CheckedSize checked(const ClipSize& asked) {
  return check_size(asked, find_preset(tiny_wan(), {.model = "model"}), tiny_wan());
}

void expect_usage_error(const ClipSize& asked, const std::string& part) {
  try {
    checked(asked);
    FAIL() << "expected an error with " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(CheckSize, NamesTheNearestFramesAndSizes) {
  expect_usage_error({.num_frames = 80}, "use 77 or 81");
  expect_usage_error({.num_frames = 100002}, "use 100001");
  expect_usage_error({.height = 481, .width = 833, .num_frames = 81}, "832x480");
}

TEST(CheckSize, ADurationIsAWholeNumberOfFrames) {
  EXPECT_EQ(checked({.duration = 5.0625, .fps = 16}).num_frames, 81);
  expect_usage_error({.duration = 5, .fps = 16}, "`num_frames` 77 or 81");
}

TEST(CheckSize, AnAspectDecidesTheOtherSide) {
  const CheckedSize size = checked({.width = 64, .aspect = AspectRatio{1, 2}});
  EXPECT_EQ(size.width, 64);
  EXPECT_EQ(size.height, 128);
}

}  // namespace
}  // namespace t2v
