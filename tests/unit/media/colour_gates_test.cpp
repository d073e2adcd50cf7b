#include <array>

#include <gmock/gmock.h>

#include "media_testing.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

class ColourGatesTest : public MediaTest {};

/// A frame of 4x3 patches of 32x32 pixels: every corner of the colour cube, and colours between them.
constexpr int64_t kSide = 32, kColumns = 4, kRows = 3;
constexpr std::array<std::array<uint8_t, 3>, kColumns* kRows> kPatches = {{{255, 0, 0},
                                                                           {0, 255, 0},
                                                                           {0, 0, 255},
                                                                           {255, 255, 0},
                                                                           {0, 255, 255},
                                                                           {255, 0, 255},
                                                                           {255, 255, 255},
                                                                           {0, 0, 0},
                                                                           {255, 128, 0},
                                                                           {0, 128, 255},
                                                                           {128, 0, 64},
                                                                           {128, 128, 128}}};

Frames patches(int64_t count) {
  Frames frames{.count = count, .height = kRows * kSide, .width = kColumns * kSide, .rgb = {}};
  for (int64_t i = 0; i < count * frames.height * frames.width; ++i) {
    const int64_t x = i % frames.width, y = i / frames.width % frames.height;
    const auto& colour = kPatches[static_cast<size_t>(y / kSide * kColumns + x / kSide)];
    frames.rgb.insert(frames.rgb.end(), colour.begin(), colour.end());
  }
  return frames;
}

TEST_F(ColourGatesTest, SaturatedPatchesStayWithinTwoLevels) {
  constexpr int64_t kEdge = 8;  // where the codec mixes neighbours
  for (const char* name : {"a.mp4", "a.mkv"}) {
    const auto writer = make_clip_writer(
        path(name), {.width = kColumns * kSide, .height = kRows * kSide, .fps = 16, .frame_count = 5});
    writer->write(patches(5));
    writer->publish();
    const Frames clip = read_clip(path(name));
    const Frames expected = patches(5);
    ASSERT_EQ(clip.rgb.size(), expected.rgb.size());
    int largest = 0;
    for (size_t i = 0; i < clip.rgb.size(); ++i) {
      const int64_t pixel = static_cast<int64_t>(i) / 3;
      const int64_t x = pixel % clip.width % kSide, y = pixel / clip.width % clip.height % kSide;
      if (std::min(x, y) < kEdge || std::max(x, y) >= kSide - kEdge) continue;
      largest = std::max(largest, std::abs(clip.rgb[i] - expected.rgb[i]));
    }
    EXPECT_LE(largest, 2) << name;
  }
}

TEST_F(ColourGatesTest, TagsAreInTheCodecAloneAndOnEveryFrame) {
  const std::string probe =
      "ffprobe -v error -of default=nw=1 -show_entries "
      "frame=color_range,color_space,color_primaries,color_transfer,chroma_location ";
  const std::string expected =
      "color_range=tv\ncolor_space=bt709\ncolor_primaries=bt709\ncolor_transfer=bt709\nchroma_location="
      "left\n";
  for (const char* name : {"a.mp4", "a.mkv"}) {
    write_clip(path(name), small_clip(2));
    // Without its container only the codec's own tags are left.
    const std::string bare = path("bare.h264").string();
    output_of("ffmpeg -v error -y -i '" + path(name).string() + "' -c copy -f h264 '" + bare + "' 2>&1");
    const std::string in_codec = output_of(probe + "'" + bare + "' 2>&1");
    if (in_codec.find("color_range") == std::string::npos) GTEST_SKIP() << "no ffmpeg: " << in_codec;
    EXPECT_EQ(in_codec, expected + expected) << name;
    EXPECT_EQ(output_of(probe + "'" + path(name).string() + "' 2>&1"), expected + expected) << name;
  }
}

TEST_F(ColourGatesTest, TheContainerTellsItAsWell) {
  // Of Matroska the element Colour: MatrixCoefficients, Range, TransferCharacteristics, Primaries, each of
  // one byte. https://www.matroska.org/technical/elements.html
  write_clip(path("a.mkv"), small_clip(2));
  const std::string bytes = content(path("a.mkv"));
  for (const char* element : {"\x55\xB1\x81\x01", "\x55\xB9\x81\x01", "\x55\xBA\x81\x01", "\x55\xBB\x81\x01"})
    EXPECT_THAT(bytes, HasSubstr(element));
}

}  // namespace
}  // namespace t2v
