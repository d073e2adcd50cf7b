#include "engine/pipelines/pixels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace t2v {
namespace {

using ::testing::HasSubstr;

Frames grey(int64_t height, int64_t width) {
  return {.count = 1,
          .height = height,
          .width = width,
          .rgb = std::vector<uint8_t>(static_cast<size_t>(3 * height * width), 128)};
}

std::string refusal(const Frames& image) {
  try {
    place_on_canvas(image, {16, 16}, 8);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    return error.what();
  }
  return "";
}

TEST(PlaceOnCanvas, RefusesWhatLeavesNothing) {
  EXPECT_EQ(refusal(grey(8, 16)), "");
  EXPECT_THAT(refusal(grey(8, 800)), HasSubstr("800x8 pixels"));
  EXPECT_THAT(refusal(grey(7, 16)), HasSubstr("16x0 pixels"));
}

}  // namespace
}  // namespace t2v
