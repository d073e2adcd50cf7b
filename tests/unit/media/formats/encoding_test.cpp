#include "media/formats/encoding.h"

#include <gmock/gmock.h>

#include "t2v/error.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

struct Case {
  const char* output;
  OutputOptions options;
  const char* codec;
  const char* pix_fmt;
  std::optional<int64_t> crf;
  bool lossless = false;
};

TEST(ChooseEncoding, IsTheContainersUnlessTold) {
  const std::vector<Case> cases = {
      {"a.mp4", {}, "h264", "yuv420p", 16},
      {"a.mkv", {.quality = "draft"}, "h264", "yuv420p", 23},
      {"-", {.quality = "high"}, "h264", "yuv420p", 10},
      {"a.webm", {}, "vp9", "yuv420p", 22},
      {"a.mov", {}, "prores", "yuv422p10le", {}},
      {"a.gif", {.quality = "high"}, "gif", "pal8", {}},
      {"a.png", {}, "png", "rgb24", {}, true},
      {"a.png", {.quality = "lossless"}, "png", "rgb24", {}, true},
      {"a.mkv", {.quality = "lossless"}, "ffv1", "bgr0", {}, true},
      {"-", {.quality = "lossless"}, "ffv1", "bgr0", {}, true},
      {"a.mkv", {.codec = "ffv1"}, "ffv1", "bgr0", {}, true},
      {"a.mp4", {.crf = 51}, "h264", "yuv420p", 51},
      {"a.mp4", {.quality = "high", .codec = "h265"}, "h265", "yuv420p", 10},
      {"a.webm", {.crf = 63, .pix_fmt = "yuv444p"}, "vp9", "yuv444p", 63},
      {"a.mov", {.pix_fmt = "yuv444p10le"}, "prores", "yuv444p10le", {}},
      {"a.mov", {.codec = "h264", .pix_fmt = "yuv420p10le"}, "h264", "yuv420p10le", 16},
      {"a.gif", {.fps = 50}, "gif", "pal8", {}},
  };
  for (const Case& expected : cases) {
    const ChosenEncoding got = choose_encoding(expected.output, expected.options);
    EXPECT_EQ(got.codec, expected.codec) << expected.output;
    EXPECT_EQ(got.pix_fmt, expected.pix_fmt) << expected.output;
    EXPECT_EQ(got.crf, expected.crf) << expected.output;
    EXPECT_EQ(got.lossless, expected.lossless) << expected.output;
  }
}

void expect_refused(const char* output, const OutputOptions& options, const std::vector<std::string>& parts) {
  try {
    choose_encoding(output, options);
    ADD_FAILURE() << output << " was accepted: " << parts.front();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage) << error.what();
    for (const std::string& part : parts) EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(ChooseEncoding, RefusesWhatDoesNotGoTogether) {
  expect_refused("a.mp4", {.codec = "vp9"}, {"`codec` vp9", "h264 or h265 in .mp4", "a.webm"});
  expect_refused("a.webm", {.codec = "h264"}, {"`codec` h264", "vp9 in .webm", "a.mp4"});
  expect_refused("a.mov", {.codec = "ffv1"}, {"prores, h264 or h265 in .mov", "a.mkv"});
  expect_refused("a.gif", {.codec = "prores"}, {"gif in .gif", "a.mov"});
  expect_refused("a.png", {.codec = "h264"}, {"png in .png"});
  expect_refused("a.mp4", {.codec = "h26"}, {"`codec`", "did you mean h26"});
  expect_refused("a.mp4", {.codec = "gif"}, {"`codec`", "h264, h265, vp9, prores or ffv1"});
  expect_refused("a.mp4", {.pix_fmt = "yuv420"}, {"`pix_fmt`", "did you mean yuv420p?"});
  expect_refused("a.mov", {.pix_fmt = "yuv420p"},
                 {"`pix_fmt` yuv420p: ", "ProRes", "yuv422p10le or yuv444p10le"});
  expect_refused("a.gif", {.pix_fmt = "yuv420p"}, {"`pix_fmt` yuv420p: ", "GIF"});
  expect_refused("a.mp4", {.crf = 52}, {"`crf` 52", "H.264", "0 to 51"});
  expect_refused("a.webm", {.crf = 64}, {"`crf` 64", "VP9", "0 to 63"});
  expect_refused("a.webm", {.crf = -1}, {"`crf` -1"});
  for (const char* output : {"a.mov", "a.gif", "a.png"})
    expect_refused(output, {.crf = 4}, {"`crf` 4", "leave"});
  expect_refused("a.mkv", {.quality = "lossless", .crf = 4}, {"`crf` 4", "FFV1"});
  for (const char* output : {"a.mp4", "a.webm", "a.mov", "a.gif"})
    expect_refused(output, {.quality = "lossless"}, {"`quality` lossless", ".mkv or .png", "a.mkv"});
  expect_refused("a.mkv", {.quality = "lossless", .codec = "h264"}, {"`codec` h264", "ffv1"});
  expect_refused("a.gif", {.fps = 50.5}, {"`fps` 50.5", "at most 50"});
}

TEST(ChooseEncoding, EveryWordIsOfUse) {
  for (const std::string& codec : codec_names())
    EXPECT_EQ(choose_encoding("a.mkv", {.codec = codec}).codec, codec);
  for (const std::string& format : pix_fmt_names())
    EXPECT_EQ(choose_encoding("a.mkv", {.pix_fmt = format}).pix_fmt, format);
}

}  // namespace
}  // namespace t2v
