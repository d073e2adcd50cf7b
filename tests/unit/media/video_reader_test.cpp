#include "media/video_reader.h"

#include <gmock/gmock.h>

#include "expected_frames.h"
#include "media_testing.h"
#include "t2v/error.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

const ExpectedFrames kVideos("videos");

ImageSize same(ImageSize size) { return size; }

class Videos : public ::testing::TestWithParam<std::string> {};

TEST_P(Videos, AreWhatTheReferenceLoads) {
  // Bit for bit where it was tried; swscale is not the same code on every processor.
  expect_near(read_video(kVideos.file(GetParam()), 100, same), kVideos[GetParam()], 2);
}

INSTANTIATE_TEST_SUITE_P(All, Videos, ::testing::ValuesIn(kVideos.names()), test_name);

TEST(ReadVideo, TakesTheFirstFrames) {
  Frames expected = kVideos["rgb.mkv"];
  expected.count = 2;
  expected.rgb.resize(expected.rgb.size() / 3 * 2);
  expect_near(read_video(kVideos.file("rgb.mkv"), 2, same), expected, 0);
}

TEST(ReadVideo, ResizesEveryFrame) {
  const Frames actual = read_video(kVideos.file("turned_90.mp4"), 3, [](ImageSize size) {
    EXPECT_EQ(size, (ImageSize{36, 28}));  // upright
    return ImageSize{20, 10};
  });
  const Frames whole = read_video(kVideos.file("turned_90.mp4"), 3, same);
  expect_near(actual, resize(whole, 20, 10, ResizeFilter::kLanczos), 0);
}

TEST(ReadVideo, TellsKindsOfChromaApart) {
  VideoReader reader(kVideos.file("plain.mp4"));
  ASSERT_TRUE(reader.next());
  EXPECT_NE(reader.frame().rgb, reader.frame(VideoReader::Chroma::kRepeated).rgb);
}

using ReadVideoTest = MediaTest;

TEST_F(ReadVideoTest, CountsFramesThatItDoesNotDecode) {
  const std::pair<const char*, const char*> clips[] = {
      {"a.mp4", "h264"}, {"b.mp4", "h265"},   {"b.mkv", "vp9"}, {"a.mkv", "ffv1"},
      {"a.webm", "vp9"}, {"a.mov", "prores"}, {"a.gif", ""}};
  for (const auto& [name, codec] : clips) {
    SCOPED_TRACE(name);
    ClipSettings settings = small_clip(9);
    settings.codec = codec;
    write_clip(path(name), settings);
    EXPECT_EQ(VideoReader(path(name)).count_rest(), 9);
    fs::resize_file(path(name), fs::file_size(path(name)) * 3 / 4);
    int64_t count = -1;
    try {
      count = VideoReader(path(name)).count_rest();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
    }
    EXPECT_LT(count, 9);
  }
}

TEST_F(ReadVideoTest, NamesWhatIsNoVideo) {
  const auto error_of = [](const fs::path& file) -> std::string {
    try {
      read_video(file, 5, same);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(error_of(path("missing.mp4")), HasSubstr("missing.mp4"));
  std::ofstream(path("text.mp4")) << "no film";
  EXPECT_THAT(error_of(path("text.mp4")), HasSubstr("text.mp4"));
  // Lists of other files are not followed.
  fs::copy_file(kVideos.file("plain.mp4"), path("other.mp4"));
  std::ofstream(path("list.mp4")) << "ffconcat version 1.0\nfile other.mp4\n";
  std::ofstream(path("playlist.mp4")) << "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nother.mp4\n";
  const fs::path here = fs::current_path();
  fs::current_path(path("list.mp4").parent_path());
  for (const char* list : {"list.mp4", "playlist.mp4"})
    EXPECT_THAT(error_of(list), HasSubstr("no container")) << list;
  fs::current_path(here);
  EXPECT_THAT(error_of(kVideos.file("../unknown_pixels.nut")), HasSubstr("pixels of the kind uyyvyy411"));
  const std::string whole = content(kVideos.file("plain.mp4"));
  std::ofstream(path("half.mp4"), std::ios::binary) << whole.substr(0, whole.size() / 2);
  EXPECT_THAT(error_of(path("half.mp4")), HasSubstr("half.mp4"));
}

}  // namespace
}  // namespace t2v
