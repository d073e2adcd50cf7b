// Every container, codec and layout of numbers: written, and read again.
#include "media/formats/formats.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>

#include "media/clip_reader.h"
#include "t2v/error.h"
#include "t2v/limits.h"
#include "unit/media/clip_difference.h"
#include "unit/media/media_testing.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

class FormatsTest : public MediaTest {
 protected:
  fs::path write(const std::string& name, ClipSettings settings) {
    settings.overwrite = true;
    write_clip(path(name), settings);
    return path(name);
  }
};

ClipSettings large_clip() { return {.width = 192, .height = 128, .fps = 16, .frame_count = 9}; }

TEST_F(FormatsTest, DefaultQualityKeepsThePicture) {
  for (const char* name : {"a.webm", "a.mov"}) {
    const Difference got = difference(moving_disc(9, 128, 192), read_clip(write(name, large_clip())));
    EXPECT_GE(got.psnr, 39) << name;
    for (const double error : got.mean_error) EXPECT_LT(std::abs(error), 1) << name;
    RecordProperty(std::string(name) + "_psnr", std::to_string(got.psnr));
  }
}

/// The frames of a clip that may be numbered pictures.
Frames read_pictures(const fs::path& clip) {
  ClipReader reader(clip);
  Frames all;
  while (const std::optional<Frames> frame = reader.next())
    all.rgb.insert(all.rgb.end(), frame->rgb.begin(), frame->rgb.end());
  return all;
}

TEST_F(FormatsTest, EveryContainerHoldsEveryCodecItNames) {
  std::set<std::string> told;
  for (const ContainerFormat& format : container_formats()) {
    for (const std::string& codec : format.codecs) {
      ClipSettings settings = small_clip(3);
      settings.comment = "{}";
      if (codec != format.codecs[0]) settings.codec = codec;
      const fs::path name = write(std::string("a") + format.extension, settings);
      const bool numbered = format.container == Container::kPngSequence;
      const Frames got = numbered ? read_pictures(name) : read_clip(name);
      EXPECT_EQ(got.rgb.size(), moving_disc(3, 48, 64).rgb.size()) << name << " " << codec;
      EXPECT_GE(difference(moving_disc(3, 48, 64), got).psnr, 25) << name << " " << codec;
      const VideoInfo info = VideoReader(numbered ? path("a-0001.png") : name).info();
      EXPECT_EQ(info.codec, codec == "h265" ? "hevc" : codec) << name;
      EXPECT_EQ(info.comment, numbered ? "" : "{}") << name;
      told.insert(codec);
    }
  }
  for (const Codec& codec : codecs()) EXPECT_TRUE(told.contains(codec.name)) << codec.name;
}

TEST_F(FormatsTest, EveryQualityWritesOtherBytes) {
  std::set<std::string> contents;
  for (const std::string& quality : quality_names()) {
    ClipSettings settings = small_clip(3);
    settings.quality = quality;
    EXPECT_TRUE(contents.insert(content(write("a.mkv", settings))).second) << quality;
    EXPECT_EQ(read_clip(path("a.mkv")).rgb == moving_disc(3, 48, 64).rgb, quality == "lossless") << quality;
  }
}

TEST_F(FormatsTest, EveryChromaAndDepthHasAPixelFormat) {
  const std::vector<std::string>& names = pix_fmt_names();
  for (const std::string chroma : {"420", "422", "444"}) {
    for (const char* depth : {"p", "p10le"})
      EXPECT_EQ(std::count(names.begin(), names.end(), "yuv" + chroma + depth), 1) << chroma << depth;
  }
}

TEST_F(FormatsTest, AreDescribedForHelpTexts) {
  EXPECT_EQ(describe_containers(), ".mp4 (H.264), .mkv, .webm (VP9), .mov (ProRes), .gif, .png");
  EXPECT_EQ(describe_lossless_containers(), ".mkv or .png");
  EXPECT_EQ(describe_crf_scales(),
            "23, 16 and 10 of 51 for H.264; 25, 16 and 10 of 51 for H.265; 38, 22 and 12 of 63 for VP9");
}

TEST_F(FormatsTest, EveryCodecTakesEveryLayoutItNames) {
  for (const std::string& codec : codec_names()) {
    for (const std::string& format : pix_fmt_names()) {
      ClipSettings settings = small_clip(3);
      settings.codec = codec;
      settings.pix_fmt = format;
      const bool fits =
          codec == "prores" ? format == "yuv422p10le" || format == "yuv444p10le" : codec != "ffv1";
      if (!fits) {
        EXPECT_THROW(write("a.mkv", settings), Error) << codec << " " << format;
        continue;
      }
      const VideoReader reader(write("a.mkv", settings));
      EXPECT_EQ(reader.info().codec, codec == "h265" ? "hevc" : codec);
      // The decoder gives all of ProRes 4444 12 bits.
      const bool widened = codec == "prores" && format == "yuv444p10le";
      EXPECT_EQ(reader.info().pixel_format, widened ? "yuv444p12le" : format) << codec;
      EXPECT_EQ(reader.info().color_space, "bt709") << codec << " " << format;
      EXPECT_EQ(reader.info().color_range, "tv") << codec << " " << format;
      EXPECT_GE(difference(moving_disc(3, 48, 64), read_clip(path("a.mkv"))).psnr, 34)
          << codec << " " << format;
    }
  }
}

TEST_F(FormatsTest, AreTagged) {
  for (const auto& [name, codec] : {std::pair<const char*, const char*>{"a.webm", ""},
                                    {"a.mov", ""},
                                    {"b.mov", "h264"},
                                    {"b.mp4", "h265"},
                                    {"b.mkv", "vp9"}}) {
    ClipSettings settings = small_clip();
    settings.codec = codec;
    const VideoReader reader(write(name, settings));
    const VideoInfo& info = reader.info();
    EXPECT_EQ(info.color_range, "tv") << name;
    EXPECT_EQ(info.color_space, "bt709") << name;
    EXPECT_EQ(info.color_primaries, "bt709") << name;
    EXPECT_EQ(info.color_trc, "bt709") << name;
    EXPECT_EQ(info.fps, 16) << name;
  }
  EXPECT_THAT(content(path("b.mp4")), HasSubstr("hvc1"));
}

TEST_F(FormatsTest, QualityOrdersAsItSays) {
  for (const char* name : {"a.webm", "a.mov", "h265.mp4"}) {
    double before = 0;
    for (const char* quality : {"draft", "good", "high"}) {
      ClipSettings settings = small_clip();
      settings.quality = quality;
      if (name[0] == 'h') settings.codec = "h265";
      const double psnr = difference(moving_disc(5, 48, 64), read_clip(write(name, settings))).psnr;
      EXPECT_GE(psnr, before) << name << " " << quality;
      before = psnr;
    }
  }
}

TEST_F(FormatsTest, CommentsAreKept) {
  std::string longest = "{\"prompt\": \"";
  while (longest.size() < (200 << 10)) longest += "é球🎈 {} %s ; # = \\n";
  for (const std::string& comment : {std::string(), std::string("{}"), longest + "\"}"}) {
    for (const char* name : {"a.webm", "a.mov", "a.gif"}) {
      ClipSettings settings = small_clip(2);
      settings.comment = comment;
      EXPECT_EQ(VideoReader(write(name, settings)).info().comment, comment) << name;
    }
  }
}

TEST_F(FormatsTest, SameFramesSameBytes) {
  for (const char* name : {"a.webm", "a.mov", "a.gif", "h265.mkv"}) {
    ClipSettings settings = large_clip();
    if (name[0] == 'h') settings.codec = "h265";
    const std::string first = content(write(name, settings));
    EXPECT_TRUE(first == content(write(name, settings))) << name;
  }
}

/// Every 4x4 pixels as one: what the eye makes of dithering.
Frames from_afar(const Frames& clip) {
  Frames small{.count = clip.count, .height = clip.height / 4, .width = clip.width / 4, .rgb = {}};
  for (int64_t t = 0; t < small.count; ++t) {
    for (int64_t y = 0; y < small.height; ++y) {
      for (int64_t i = 0; i < 3 * small.width; ++i) {
        double sum = 0;
        for (int64_t dy = 0; dy < 4; ++dy)
          for (int64_t dx = 0; dx < 4; ++dx)
            sum += clip.rgb[static_cast<size_t>(
                3 * (((t * clip.height) + 4 * y + dy) * clip.width + 4 * (i / 3) + dx) + i % 3)];
        small.rgb.push_back(level(sum / 16));
      }
    }
  }
  return small;
}

TEST_F(FormatsTest, GifKeepsThePictureFromAfar) {
  const Frames clip = moving_disc(9, 128, 192);
  const Frames got = read_clip(write("a.gif", large_clip()));
  EXPECT_GE(difference(clip, got).psnr, 30);
  const Difference far = difference(from_afar(clip), from_afar(got));
  EXPECT_GE(far.psnr, 42);
  for (const double error : far.mean_error) EXPECT_LT(std::abs(error), 0.5);
  RecordProperty("psnr", std::to_string(difference(clip, got).psnr));
  RecordProperty("psnr_from_afar", std::to_string(far.psnr));
}

TEST_F(FormatsTest, GifOfFewColoursIsExactAndRepeats) {
  // Two halves whose border moves.
  Frames clip{.count = 4, .height = 16, .width = 32, .rgb = {}};
  for (int64_t i = 0; i < clip.count * 16 * 32; ++i) {
    const bool left = i % 32 < 8 + 4 * (i / (16 * 32));
    for (const int value : {left ? 250 : 3, left ? 30 : 130, 77})
      clip.rgb.push_back(static_cast<uint8_t>(value));
  }
  const auto writer =
      make_clip_writer(path("a.gif"), {.width = 32, .height = 16, .fps = 8, .frame_count = 4});
  writer->write(clip);
  writer->publish();
  EXPECT_TRUE(read_clip(path("a.gif")).rgb == clip.rgb);
  EXPECT_THAT(content(path("a.gif")), HasSubstr("NETSCAPE2.0"));
}

TEST_F(FormatsTest, GifLastsAsLong) {
  for (const double fps : {0.5, 8.0, 16.0, 23.976, 30.0, 50.0}) {
    for (const int64_t count : {1, 2, 33}) {
      const VideoReader reader(write("a.gif", {.width = 16, .height = 16, .fps = fps, .frame_count = count}));
      EXPECT_NEAR(reader.info().duration, static_cast<double>(count) / fps, 0.005001) << fps << " " << count;
    }
  }
  EXPECT_THROW(write("b.gif", {.width = 16, .height = 16, .fps = 51, .frame_count = 1}), Error);
}

TEST_F(FormatsTest, UnpublishedLeavesNothing) {
  for (const char* name : {"a.webm", "a.mov", "a.gif"}) {
    {
      const auto writer = make_clip_writer(path(name), small_clip(2));
      writer->write(moving_disc(2, 48, 64));
    }
    EXPECT_EQ(entries(), 0) << name;
  }
}

TEST_F(FormatsTest, OddSizesNeedWholeChroma) {
  ClipSettings settings{.width = 33, .height = 17, .fps = 8, .frame_count = 2};
  EXPECT_THROW(write("a.webm", settings), Error);
  EXPECT_EQ(entries(), 0);
  settings.pix_fmt = "yuv444p";
  EXPECT_EQ(read_clip(write("a.webm", settings)).width, 33);
  settings.pix_fmt.clear();
  EXPECT_EQ(read_clip(write("a.gif", settings)).height, 17);
}

TEST_F(FormatsTest, AnEncoderIsExpectedBeforeTheFrames) {
  for (const char* name : {"a.mp4", "a.mkv", "a.webm", "a.mov", "a.gif", "a.png", "/dev/null"})
    EXPECT_NO_THROW(expect_encoder(name[0] == '/' ? fs::path(name) : path(name), small_clip())) << name;
  EXPECT_THROW(expect_encoder(path("a.mp4"), {.width = 63, .height = 48, .fps = 16, .frame_count = 1}),
               Error);
  EXPECT_EQ(entries(), 0);
}

}  // namespace
}  // namespace t2v
