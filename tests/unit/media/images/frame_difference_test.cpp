#include "media/images/frame_difference.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace t2v {
namespace {

/// The pictures of scripts/fixtures/make_ssim.py.
Frames picture(int64_t height, int64_t width, const std::string& kind) {
  Frames frame{.count = 1, .height = height, .width = width, .rgb = {}};
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t channel = 0; channel < 3; ++channel) {
        int64_t level = 3 * x + 5 * y + 40 * channel;
        if (kind == "noisy") level += (x * 7919 + y * 104729 + channel * 31) % 23;
        if (kind == "dark") level /= 2;
        if (kind == "flat") level = 100;
        frame.rgb.push_back(static_cast<uint8_t>(level % 256));
      }
    }
  }
  return frame;
}

TEST(FrameDifference, SsimIsThatOfScikitImage) {
  const auto cases =
      nlohmann::json::parse(std::ifstream(std::filesystem::path(T2V_FIXTURES) / "core/ssim.json"));
  ASSERT_GE(cases.size(), 12U);
  for (const auto& item : cases) {
    const auto of = [&](const char* kind) { return picture(item["height"], item["width"], item[kind]); };
    const FrameDifference got = frame_difference(of("one"), of("other"));
    ASSERT_TRUE(got.ssim.has_value());
    EXPECT_NEAR(*got.ssim, item["ssim"].get<double>(), 1e-9) << item;
  }
}

TEST(FrameDifference, CountsLevels) {
  const Frames flat = picture(12, 16, "flat");
  Frames other = flat;
  EXPECT_EQ(frame_difference(flat, other).squared_error, 0);
  EXPECT_EQ(frame_difference(flat, other).largest, 0);
  EXPECT_EQ(frame_difference(flat, other).ssim, 1);
  other.rgb[5] = 97;
  other.rgb[70] = 104;
  const FrameDifference got = frame_difference(flat, other);
  EXPECT_DOUBLE_EQ(got.squared_error, (9.0 + 16.0) / (3 * 12 * 16));
  EXPECT_EQ(got.largest, 4);
  EXPECT_LT(*got.ssim, 1);
}

TEST(FrameDifference, HasNoWindowInASmallPicture) {
  EXPECT_FALSE(frame_difference(picture(10, 64, "flat"), picture(10, 64, "dark")).ssim.has_value());
  EXPECT_GT(frame_difference(picture(10, 64, "flat"), picture(10, 64, "dark")).squared_error, 0);
}

}  // namespace
}  // namespace t2v
