#include "media/images/palette.h"

#include <cmath>
#include <numeric>

#include "unit/media/media_testing.h"

namespace t2v {
namespace {

Frames of_colors(const std::vector<Color>& colors, int64_t width) {
  Frames frames{.count = 1, .height = static_cast<int64_t>(colors.size()) / width, .width = width, .rgb = {}};
  for (const Color& color : colors) frames.rgb.insert(frames.rgb.end(), color.begin(), color.end());
  return frames;
}

TEST(Palette, KeepsFewColorsExactly) {
  std::vector<Color> colors;
  for (int i = 0; i < 64; ++i)
    colors.push_back({static_cast<uint8_t>(i * 4), static_cast<uint8_t>(255 - i), static_cast<uint8_t>(i)});
  const Frames frames = of_colors(colors, 8);
  Palette palette({frames}, 255);
  EXPECT_EQ(palette.colors().size(), 64U);
  const std::vector<uint8_t> indices = palette.dither(frames.rgb.data(), 8, 8);
  for (size_t i = 0; i < colors.size(); ++i) EXPECT_EQ(palette.colors()[indices[i]], colors[i]);
}

TEST(Palette, CutsWhereTheSpreadIs) {
  // Nine greys close to each other and one red far away: the red one is not averaged with a grey.
  std::vector<Color> colors(9, Color{100, 100, 100});
  for (size_t i = 0; i < colors.size(); ++i) colors[i][0] = static_cast<uint8_t>(96 + i);
  colors.push_back({255, 0, 0});
  Palette palette({of_colors(colors, 10)}, 2);
  ASSERT_EQ(palette.colors().size(), 2U);
  EXPECT_EQ(palette.colors()[palette.nearest({250, 5, 5})], (Color{255, 0, 0}));
  EXPECT_EQ(palette.colors()[palette.nearest({0, 0, 0})], (Color{100, 100, 100}));
}

TEST(Palette, DitheringKeepsTheMean) {
  // A ramp of greys in black and white.
  constexpr int64_t kHeight = 64, kWidth = 256;
  Frames frames{.count = 1, .height = kHeight, .width = kWidth, .rgb = {}};
  for (int64_t i = 0; i < kHeight * kWidth; ++i)
    for (int c = 0; c < 3; ++c) frames.rgb.push_back(static_cast<uint8_t>(i % kWidth));
  Palette palette({of_colors({{0, 0, 0}, {255, 255, 255}}, 2)}, 2);
  const std::vector<uint8_t> indices = palette.dither(frames.rgb.data(), kHeight, kWidth);
  for (int64_t first = 32; first + 32 < kWidth; first += 32) {
    double sum = 0;
    for (int64_t y = 0; y < kHeight; ++y)
      for (int64_t x = first; x < first + 32; ++x)
        sum += palette.colors()[indices[static_cast<size_t>(y * kWidth + x)]][0];
    EXPECT_NEAR(sum / (32 * kHeight), static_cast<double>(first) + 15.5, 2) << first;
  }
}

TEST(Palette, OfNothingIsEmpty) { EXPECT_TRUE(Palette({}, 255).colors().empty()); }

}  // namespace
}  // namespace t2v
