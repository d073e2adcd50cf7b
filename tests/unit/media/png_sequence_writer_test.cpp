#include <cstdio>

#include <gmock/gmock.h>

#include "media_testing.h"
#include "t2v/error.h"

namespace t2v {
namespace {

class PngSequenceWriterTest : public MediaTest {
 protected:
  Frames read_sequence(const std::string& before, int64_t count) const {
    Frames all{.count = 0, .height = 0, .width = 0, .rgb = {}};
    for (; all.count < count; ++all.count) {
      char name[32];
      std::snprintf(name, sizeof name, "%s%04d.png", before.c_str(), static_cast<int>(all.count + 1));
      const Frames frame = read_clip(path(name));
      all.rgb.insert(all.rgb.end(), frame.rgb.begin(), frame.rgb.end());
    }
    return all;
  }
};

TEST_F(PngSequenceWriterTest, IsBitExactWithSettingsBeside) {
  ClipSettings settings = small_clip(5);
  settings.comment = "{\"seed\": \"1\"}";
  write_clip(path("clip.png"), settings);
  EXPECT_TRUE(read_sequence("clip-", 5).rgb == moving_disc(5, 48, 64).rgb);
  EXPECT_EQ(content(path("clip.json")), "{\"seed\": \"1\"}\n");
  EXPECT_EQ(entries(), 6);
}

TEST_F(PngSequenceWriterTest, TakesAPattern) {
  write_clip(path("f%04d.png"), small_clip(2));
  EXPECT_TRUE(read_sequence("f", 2).rgb == moving_disc(2, 48, 64).rgb);
  EXPECT_EQ(entries(), 2);
}

TEST_F(PngSequenceWriterTest, OneFrameKeepsItsName) {
  ClipSettings settings = small_clip(1);
  write_clip(path("cat.png"), settings);
  EXPECT_TRUE(read_clip(path("cat.png")).rgb == moving_disc(1, 48, 64).rgb);
  EXPECT_THROW(write_clip(path("cat.png"), settings), Error);
  settings.overwrite = true;
  settings.height = 16;
  write_clip(path("cat.png"), settings);
  EXPECT_EQ(read_clip(path("cat.png")).height, 16);
  EXPECT_EQ(entries(), 1);
}

TEST_F(PngSequenceWriterTest, OddSizes) {
  for (const int64_t width : {1, 2, 7, 65}) {
    const ClipSettings settings{.width = width, .height = 3, .fps = 16, .frame_count = 2, .overwrite = true};
    write_clip(path("clip.png"), settings);
    EXPECT_TRUE(read_sequence("clip-", 2).rgb == moving_disc(2, 3, width).rgb);
  }
}

TEST_F(PngSequenceWriterTest, OverwritingReplacesALongerSequence) {
  ClipSettings settings = small_clip(6);
  settings.comment = "{\"frames\": 6}";
  write_clip(path("clip.png"), settings);
  std::ofstream(path("clip-0008.png")) << "not of that sequence";
  settings.frame_count = 3;
  settings.comment = "{\"frames\": 3}";
  EXPECT_THROW(write_clip(path("clip.png"), settings), Error);
  settings.overwrite = true;
  write_clip(path("clip.png"), settings);
  EXPECT_EQ(content(path("clip.json")), "{\"frames\": 3}\n");
  EXPECT_EQ(content(path("clip-0008.png")), "not of that sequence");
  EXPECT_EQ(entries(), 3 + 1 + 1);
}

TEST_F(PngSequenceWriterTest, FailingToPublishPutsTheOldOnesBack) {
  ClipSettings settings = small_clip(4);
  write_clip(path("clip.png"), settings);
  const std::string old = content(path("clip-0001.png"));
  settings.overwrite = true;
  settings.height = 16;
  fs::remove(path("clip-0003.png"));
  const auto writer = make_clip_writer(path("clip.png"), settings);
  writer->write(moving_disc(4, 16, 64));
  fs::create_directories(path("clip-0003.png/x"));  // cannot be replaced, after two that could
  EXPECT_THROW(writer->publish(), Error);
  EXPECT_TRUE(content(path("clip-0001.png")) == old);
  EXPECT_EQ(read_clip(path("clip-0002.png")).height, 48);
  EXPECT_TRUE(fs::exists(path("clip-0003.png/x")));
  EXPECT_EQ(read_clip(path("clip-0004.png")).height, 48);
}

TEST_F(PngSequenceWriterTest, ANameTakenMeanwhileIsNotReplaced) {
  const auto writer = make_clip_writer(path("clip.png"), small_clip(3));
  writer->write(moving_disc(3, 48, 64));
  std::ofstream(path("clip-0002.png")) << "somebody else's";
  try {
    writer->publish();
    ADD_FAILURE() << "replaced it";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
  }
  EXPECT_EQ(content(path("clip-0002.png")), "somebody else's");
  EXPECT_FALSE(fs::exists(path("clip-0001.png")));
}

TEST_F(PngSequenceWriterTest, UnpublishedLeavesNothing) {
  make_clip_writer(path("clip.png"), small_clip(3))->write(moving_disc(2, 48, 64));
  EXPECT_EQ(entries(), 0);
}

}  // namespace
}  // namespace t2v
