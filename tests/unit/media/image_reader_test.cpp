#include "media/image_reader.h"

#include <chrono>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "expected_frames.h"
#include "media/images/exif.h"
#include "media_testing.h"
#include "t2v/error.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

const ExpectedFrames kImages("images");

class Images : public MediaTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(Images, AreWhatTheReferenceLoads) {
  const bool lossy = GetParam().ends_with(".jpg") || GetParam().starts_with("lossy");
  expect_near(read_image(kImages.file(GetParam())), kImages[GetParam()], lossy ? 3 : 0);
}

std::string error_of(const fs::path& file) {
  try {
    read_image(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    return error.what();
  }
  return "";
}

TEST_P(Images, ThatEndInTheMiddleAreErrors) {
  const std::string whole = content(kImages.file(GetParam()));
  std::ofstream(path("half"), std::ios::binary) << whole.substr(0, whole.size() / 2);
  EXPECT_THAT(error_of(path("half")),
              HasSubstr("reading " + path("half").string() + ": got a damaged picture or a part of one"));
}

TEST_P(Images, ThatAreDamagedAreReadOrRefused) {
  const std::string whole = content(kImages.file(GetParam()));
  uint32_t state = 1;
  const auto random = [&state](size_t below) {
    state = state * 1664525U + 1013904223U;
    return (state >> 8) % below;
  };
  for (int i = 0; i < 100; ++i) {
    std::string damaged = whole;
    for (size_t j = 0; j <= random(4); ++j) damaged[random(damaged.size())] = static_cast<char>(random(256));
    std::ofstream(path("damaged"), std::ios::binary) << damaged;
    try {
      const Frames image = read_image(path("damaged"));
      EXPECT_EQ(static_cast<int64_t>(image.rgb.size()), 3 * image.height * image.width);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput) << error.what();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Images, ::testing::ValuesIn(kImages.names()), test_name);

using ImageReader = MediaTest;

TEST_F(ImageReader, NamesWhatIsNoImage) {
  EXPECT_THAT(error_of(path("missing.png")), HasSubstr("missing.png"));
  EXPECT_THAT(error_of(folder_), HasSubstr(folder_.string()));
  std::ofstream(path("empty.png")).flush();
  EXPECT_THAT(error_of(path("empty.png")), HasSubstr("got an empty file, expected a PNG, JPEG,"));
  std::ofstream(path("text.png")) << "no picture";
  EXPECT_THAT(error_of(path("text.png")), HasSubstr("no image t2v knows"));
  ASSERT_EQ(::mkfifo(path("fifo.png").c_str(), 0600), 0);
  EXPECT_THAT(error_of(path("fifo.png")), HasSubstr("fifo.png"));
}

TEST_F(ImageReader, RefusesAbsurdSizesAtOnce) {
  std::string bomb = content(kImages.file("rgb.png"));
  // Width and height of the header, 100000 each; its checksum no longer matters.
  bomb.replace(16, 8, std::string("\0\1\x86\xA0\0\1\x86\xA0", 8));
  std::ofstream(path("bomb.png"), std::ios::binary) << bomb;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(error_of(path("bomb.png")), HasSubstr("bomb.png"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(ExifOrientation, IsUprightForWhatEndsTooEarly) {
  for (const char* name : {"orientation.jpg", "orientation.webp", "orientation_6.png"}) {
    const std::string whole = content(kImages.file(name));
    for (size_t size = 0; size <= whole.size(); ++size) {
      // A copy of its own, so that the sanitizer sees a read past the end.
      const std::vector<char> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      const int orientation = exif_orientation({part.data(), part.size()});
      EXPECT_TRUE(orientation == 1 || orientation == 6 || orientation == 8);
    }
  }
}

TEST(ExifOrientation, SurvivesRandomDirectories) {
  uint32_t state = 7;
  for (int i = 0; i < 20000; ++i) {
    std::string exif = i % 2 == 0 ? std::string("II*\0", 4) : std::string("MM\0*", 4);
    for (int j = 0; j < 40; ++j) {
      state = state * 1664525U + 1013904223U;
      exif += static_cast<char>(state >> 24 & (j % 3 == 0 ? 0xFFU : 0x13U));
    }
    const std::string jpeg = std::string(
                                 "\xFF\xD8\xFF\xE1\0\x34"
                                 "Exif\0\0",
                                 12) +
                             exif;
    const int orientation = exif_orientation(jpeg);
    EXPECT_TRUE(1 <= orientation && orientation <= 8);
  }
}

}  // namespace
}  // namespace t2v
