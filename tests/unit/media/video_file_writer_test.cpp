#include <algorithm>
#include <array>

#include <gmock/gmock.h>

#include "clip_difference.h"
#include "media_testing.h"
#include "t2v/error.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

class VideoFileWriterTest : public MediaTest {};

/// The planes of a clip as another program decodes them, without any conversion.
std::string raw_yuv(const fs::path& clip) {
  return output_of("ffmpeg -v error -i '" + clip.string() + "' -pix_fmt yuv420p -f rawvideo - 2>&1");
}

TEST_F(VideoFileWriterTest, DefaultQualityKeepsThePicture) {
  ClipSettings settings{.width = 192, .height = 128, .fps = 16, .frame_count = 17};
  for (const char* name : {"a.mp4", "a.mkv"}) {
    write_clip(path(name), settings);
    const Difference got = difference(moving_disc(17, 128, 192), read_clip(path(name)));
    EXPECT_GE(got.psnr, 39) << name;
    for (const double error : got.mean_error) EXPECT_LT(std::abs(error), 1) << name;
    RecordProperty(std::string(name) + "_psnr", std::to_string(got.psnr));
  }
}

TEST_F(VideoFileWriterTest, QualityAndCrfOrderAsTheySay) {
  const auto psnr_and_size = [this](const std::string& quality, std::optional<int64_t> crf) {
    ClipSettings settings = small_clip();
    settings.quality = quality;
    settings.crf = crf;
    settings.overwrite = true;
    write_clip(path("a.mp4"), settings);
    return std::pair(difference(moving_disc(5, 48, 64), read_clip(path("a.mp4"))).psnr,
                     fs::file_size(path("a.mp4")));
  };
  const auto draft = psnr_and_size("draft", {}), good = psnr_and_size("good", {}),
             high = psnr_and_size("high", {});
  EXPECT_LT(draft, good);
  EXPECT_LT(good, high);
  EXPECT_LT(draft.second, high.second);
  EXPECT_LT(psnr_and_size("good", 40).first, draft.first);
  EXPECT_GT(psnr_and_size("good", 0).first, high.first);
}

TEST_F(VideoFileWriterTest, FlatSaturatedColoursStay) {
  const std::array<std::array<uint8_t, 3>, 10> colours = {{{255, 0, 0},
                                                           {0, 255, 0},
                                                           {0, 0, 255},
                                                           {255, 255, 0},
                                                           {0, 255, 255},
                                                           {255, 0, 255},
                                                           {255, 255, 255},
                                                           {0, 0, 0},
                                                           {200, 30, 90},
                                                           {128, 128, 128}}};
  for (const auto& colour : colours) {
    Frames frames{.count = 2, .height = 48, .width = 64, .rgb = {}};
    for (int i = 0; i < 2 * 48 * 64; ++i) frames.rgb.insert(frames.rgb.end(), colour.begin(), colour.end());
    ClipSettings settings = small_clip(2);
    settings.overwrite = true;
    const auto writer = make_clip_writer(path("a.mp4"), settings);
    writer->write(frames);
    writer->publish();
    // Decoded by another program, and converted by the definition of BT.709 instead of by swscale.
    const std::string yuv = raw_yuv(path("a.mp4"));
    if (yuv.size() != 2 * 48 * 64 * 3 / 2) GTEST_SKIP() << "no ffmpeg to decode with: " << yuv.substr(0, 200);
    const auto byte = [&yuv](size_t i) { return static_cast<double>(static_cast<uint8_t>(yuv[i])); };
    const size_t pixels = 48 * 64;
    const double y = (byte(24 * 64 + 32) - 16) / 219;
    const double cb = (byte(pixels + 12 * 32 + 16) - 128) / 224,
                 cr = (byte(pixels * 5 / 4 + 12 * 32 + 16) - 128) / 224;
    const double red = y + 1.5748 * cr, blue = y + 1.8556 * cb;
    const std::array<double, 3> got = {red, (y - 0.2126 * red - 0.0722 * blue) / 0.7152, blue};
    const Frames clip = read_clip(path("a.mp4"));
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(255 * got[c], colour[c], 2);
      EXPECT_NEAR(clip.rgb[(24 * 64 + 32) * 3 + c], colour[c], 2);
    }
  }
}

TEST_F(VideoFileWriterTest, ChromaIsSitedOnTheLeft) {
  // A cross of red bars: around column 32, which carries chroma itself, and between rows 23 and 24, where
  // chroma lies.
  Frames frames{.count = 1, .height = 48, .width = 64, .rgb = {}};
  for (int i = 0; i < 48 * 64; ++i) {
    const int x = i % 64, y = i / 64;
    const bool red = (x >= 31 && x <= 33) || y == 23 || y == 24;
    for (const int value : {red ? 255 : 128, red ? 0 : 128, red ? 0 : 128}) {
      frames.rgb.push_back(static_cast<uint8_t>(value));
    }
  }
  ClipSettings settings = small_clip(1);
  settings.crf = 0;  // lossless after the conversion
  const auto writer = make_clip_writer(path("a.mp4"), settings);
  writer->write(frames);
  writer->publish();
  const std::string yuv = raw_yuv(path("a.mp4"));
  if (yuv.size() != 64 * 48 * 3 / 2) GTEST_SKIP() << "no ffmpeg to decode with";
  const auto cr = [&yuv](size_t x, size_t y) {
    return static_cast<int>(static_cast<uint8_t>(yuv[64 * 48 + 32 * 24 + y * 32 + x]));
  };
  EXPECT_GT(cr(15, 4), 128 + 10);
  EXPECT_NEAR(cr(15, 4), cr(17, 4), 1);
  EXPECT_GT(cr(16, 4), cr(15, 4) + 50);
  EXPECT_GT(cr(4, 11), 128 + 50);
  EXPECT_NEAR(cr(4, 11), cr(4, 12), 1);
}

TEST_F(VideoFileWriterTest, LosslessIsBitExact) {
  for (const auto& [width, height] :
       {std::pair<int64_t, int64_t>{64, 48}, {16, 16}, {65, 33}, {4, 4}, {208, 112}}) {
    const ClipSettings settings{.width = width,
                                .height = height,
                                .fps = 16,
                                .quality = "lossless",
                                .frame_count = 4,
                                .overwrite = true};
    write_clip(path("a.mkv"), settings);
    EXPECT_TRUE(read_clip(path("a.mkv")).rgb == moving_disc(4, height, width).rgb) << width << "x" << height;
  }
}

TEST_F(VideoFileWriterTest, IsTagged) {
  write_clip(path("a.mp4"), small_clip());
  write_clip(path("a.mkv"), small_clip());
  for (const char* name : {"a.mp4", "a.mkv"}) {
    const VideoReader reader(path(name));
    const VideoInfo& info = reader.info();
    EXPECT_EQ(info.codec, "h264");
    EXPECT_EQ(info.pixel_format, "yuv420p");
    EXPECT_EQ(info.color_range, "tv");
    EXPECT_EQ(info.color_space, "bt709");
    EXPECT_EQ(info.color_primaries, "bt709");
    EXPECT_EQ(info.color_trc, "bt709");
    EXPECT_EQ(info.chroma_location, "left");
  }
  ClipSettings lossless = small_clip();
  lossless.quality = "lossless";
  write_clip(path("l.mkv"), lossless);
  const VideoReader reader(path("l.mkv"));
  EXPECT_EQ(reader.info().codec, "ffv1");
  EXPECT_EQ(reader.info().pixel_format, "bgr0");
  EXPECT_EQ(reader.info().color_range, "pc");
  EXPECT_EQ(reader.info().color_space, "gbr");
}

TEST_F(VideoFileWriterTest, Mp4IsTaggedOutsideTheCodecAndStartsFast) {
  write_clip(path("a.mp4"), small_clip());
  const std::string bytes = content(path("a.mp4"));
  // The colr box: primaries 1, transfer 1, matrix 1, not full range.
  EXPECT_THAT(bytes, HasSubstr(std::string("colrnclx\0\1\0\1\0\1\0", 15)));
  EXPECT_LT(bytes.find("moov"), bytes.find("mdat"));
}

TEST_F(VideoFileWriterTest, FfprobeAgrees) {
  ClipSettings settings = small_clip(17);
  settings.comment = R"({"prompt": "a \"red\" ball, 红球 🎈\n", "seed": "18446744073709551615"})";
  write_clip(path("a.mp4"), settings);
  const std::string got = output_of(
      "ffprobe -v error -count_frames -select_streams v -of default=nk=1:nw=1 -show_entries "
      "stream=codec_name,profile,pix_fmt,color_range,color_space,color_transfer,color_primaries,r_frame_rate,"
      "avg_frame_rate,"
      "start_time,nb_frames,nb_read_frames:format=nb_streams:format_tags=comment '" +
      path("a.mp4").string() + "' 2>&1");
  if (got.find("h264") == std::string::npos) GTEST_SKIP() << "no ffprobe: " << got.substr(0, 200);
  EXPECT_EQ(got, "h264\nHigh\nyuv420p\ntv\nbt709\nbt709\nbt709\n16/1\n16/1\n0.000000\n17\n17\n1\n" +
                     settings.comment + "\n");
}

TEST_F(VideoFileWriterTest, EveryRateAndLengthComesBack) {
  const std::array<std::pair<double, double>, 11> rates = {{{8, 8},
                                                            {16, 16},
                                                            {23.976, 24000 / 1001.},
                                                            {24, 24},
                                                            {25, 25},
                                                            {29.97, 30000 / 1001.},
                                                            {59.94, 60000 / 1001.},
                                                            {12.5, 12.5},
                                                            {0.01, 0.01},
                                                            {1000, 1000},
                                                            {7.3, 7.3}}};
  for (const auto& [asked, expected] : rates) {
    for (const int64_t count : {1, 17}) {
      for (const char* name : {"a.mp4", "a.mkv", "l.mkv"}) {
        ClipSettings settings{
            .width = 16, .height = 16, .fps = asked, .frame_count = count, .overwrite = true};
        if (name[0] == 'l') settings.quality = "lossless";
        ASSERT_NO_THROW(write_clip(path(name), settings)) << name << " " << asked << " " << count;
        EXPECT_NEAR(VideoReader(path(name)).info().fps / expected, 1, 1e-6)
            << name << " " << asked << " " << count;
        EXPECT_EQ(read_clip(path(name)).count, count);
      }
    }
  }
  for (const double wrong : {0.0, -1.0, 1001.0, std::nan(""), 1e-9, static_cast<double>(INFINITY)}) {
    ClipSettings settings = small_clip();
    settings.fps = wrong;
    EXPECT_THROW(write_clip(path("wrong.mp4"), settings), Error) << wrong;
  }
}

TEST_F(VideoFileWriterTest, CommentsAreKept) {
  std::string longest = "{\"prompt\": \"";
  while (longest.size() < (200 << 10)) longest += "é球🎈 {} %s ; # = \\n";
  for (const std::string& comment : {std::string(), std::string("{}"), longest + "\"}"}) {
    for (const char* name : {"a.mp4", "a.mkv"}) {
      ClipSettings settings = small_clip(1);
      settings.comment = comment;
      settings.overwrite = true;
      write_clip(path(name), settings);
      EXPECT_EQ(VideoReader(path(name)).info().comment, comment);
    }
  }
}

TEST_F(VideoFileWriterTest, SameFramesSameBytes) {
  for (const std::string name : {"a.mp4", "a.mkv", "l.mkv"}) {
    ClipSettings settings{.width = 192, .height = 128, .fps = 16, .frame_count = 20};
    if (name[0] == 'l') settings.quality = "lossless";
    write_clip(path(name), settings);
    write_clip(path("again-" + name), settings);
    EXPECT_TRUE(content(path(name)) == content(path("again-" + name))) << name;
  }
}

TEST_F(VideoFileWriterTest, HoldsTheCallerToTheSettings) {
  EXPECT_THROW(write_clip(path("odd.mp4"), {.width = 63, .height = 48, .fps = 16, .frame_count = 1}), Error);
  const auto writer = make_clip_writer(path("a.mp4"), small_clip(2));
  EXPECT_THROW(writer->write(moving_disc(1, 48, 48)), Error);
  writer->write(moving_disc(1, 48, 64));
  EXPECT_THROW(writer->publish(), Error);                      // one is missing
  EXPECT_THROW(writer->write(moving_disc(2, 48, 64)), Error);  // one too many
  EXPECT_EQ(entries(), 0);
}

}  // namespace
}  // namespace t2v
