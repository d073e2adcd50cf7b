#include "media/formats/output_format.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t2v/error.h"
#include "unit/media/media_testing.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

class OutputFormatTest : public MediaTest {
 protected:
  void expect_error(const std::string& name, const OutputOptions& options, ErrorCode code,
                    const std::string& text) {
    try {
      check_output(name == "-" ? fs::path(name) : path(name), options);
      ADD_FAILURE() << name << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(text));
    }
  }
};

TEST_F(OutputFormatTest, ExtensionChoosesContainer) {
  EXPECT_EQ(output_container("a.mp4"), Container::kMp4);
  EXPECT_EQ(output_container("a.b.MKV"), Container::kMkv);
  EXPECT_EQ(output_container("a.webm"), Container::kWebm);
  EXPECT_EQ(output_container("a.MOV"), Container::kMov);
  EXPECT_EQ(output_container("a.gif"), Container::kGif);
  EXPECT_EQ(output_container("a.png"), Container::kPngSequence);
  EXPECT_EQ(output_container("-"), Container::kMkv);
  EXPECT_EQ(output_container("/dev/null"), Container::kMkv);
  for (const char* name :
       {"clip", "clip.", ".mp4", "clip.avi", "clip.mp4 ", "clip.mp", "folder.mp4/clip", "", "--"}) {
    EXPECT_THROW(output_container(name), Error) << name;
  }
}

TEST_F(OutputFormatTest, AcceptsWhatCanBeWritten) {
  for (const char* name : {"clip.mp4", "clip.mkv", "clip.png", "clip-%05d.png", "ä b.mp4", "clip.webm",
                           "clip.mov", "clip.gif"}) {
    EXPECT_NO_THROW(check_output(path(name), {})) << name;
  }
  EXPECT_NO_THROW(check_output("/dev/null", {}));
  EXPECT_NO_THROW(check_output("/dev/null", {.quality = "lossless"}));
  EXPECT_NO_THROW(check_output("clip.mp4", {}));  // in the current folder
  EXPECT_EQ(entries(), 0);
}

TEST_F(OutputFormatTest, RefusesBadNamesAndFolders) {
  std::ofstream(path("there.mp4")) << "old";
  std::ofstream(path("file")) << "x";
  fs::create_directory(path("folder.mp4"));
  expect_error("there.mp4", {}, ErrorCode::kUsage, "`overwrite`");
  expect_error("folder.mp4", {.overwrite = true}, ErrorCode::kUsage, "a folder");
  expect_error("missing/clip.mp4", {}, ErrorCode::kUsage, "mkdir -p");
  expect_error("file/clip.mp4", {}, ErrorCode::kUsage, "not a folder");
  expect_error("clip.avi", {}, ErrorCode::kUsage, ".mp4, .mkv, .webm, .mov, .gif or .png");
  expect_error("clip", {}, ErrorCode::kUsage, "without an extension");
  EXPECT_NO_THROW(check_output(path("there.mp4"), {.overwrite = true}));
  EXPECT_EQ(content(path("there.mp4")), "old");
}

TEST_F(OutputFormatTest, RefusesLinksInACircle) {
  fs::create_symlink("b.mp4", path("a.mp4"));
  fs::create_symlink("a.mp4", path("b.mp4"));
  expect_error("a.mp4", {.overwrite = true}, ErrorCode::kUsage, "circle");
}

TEST_F(OutputFormatTest, RefusesAReadOnlyFolder) {
  // Root may write into any folder of an ordinary filesystem, but not into this one.
  try {
    check_output("/proc/clip.mp4", {});
    ADD_FAILURE() << "/proc was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutput) << error.what();
  }
  // Nor does it write into a locked folder as somebody else.
  fs::create_directory(path("locked"));
  fs::permissions(path("locked"), fs::perms(0555));
  fs::permissions(folder_, fs::perms(0755));
  const bool root = ::geteuid() == 0;
  constexpr uid_t kNobody = 65534;
  if (root) {
    ASSERT_EQ(::seteuid(kNobody), 0);
  }
  expect_error("locked/clip.mp4", {}, ErrorCode::kOutput, "Permission denied");
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
}

TEST_F(OutputFormatTest, RefusesOptionsThatDoNotFit) {
  expect_error("a.mp4", {.quality = "lossless"}, ErrorCode::kUsage, "a.mkv");
  expect_error("a.mp4", {.quality = "goood"}, ErrorCode::kUsage, "did you mean good?");
  expect_error("a.mp4", {.crf = 52}, ErrorCode::kUsage, "0 to 51");
  expect_error("a.mp4", {.crf = -1}, ErrorCode::kUsage, "0 to 51");
  expect_error("a.mkv", {.quality = "lossless", .crf = 4}, ErrorCode::kUsage, "`crf`");
  expect_error("a.png", {.crf = 4}, ErrorCode::kUsage, "`crf`");
  EXPECT_NO_THROW(check_output(path("a.mp4"), {.crf = 51}));
}

TEST_F(OutputFormatTest, AFifoIsNotOpened) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(is_stream(path("pipe")));
  EXPECT_NO_THROW(check_output(path("pipe"), {}));  // opening it would wait forever
}

TEST_F(OutputFormatTest, FindsAnOldSequence) {
  std::ofstream(path("a-0001.png")) << "old";
  expect_error("a.png", {}, ErrorCode::kUsage, "a-0001.png");
  EXPECT_NO_THROW(check_output(path("a.png"), {.overwrite = true}));
  EXPECT_NO_THROW(check_output(path("a.png"), {.frame_count = 1}));
  std::ofstream(path("b-0003.png")) << "old";
  expect_error("b.png", {.frame_count = 3}, ErrorCode::kUsage, "b-0003.png");
  EXPECT_NO_THROW(check_output(path("b.png"), {.frame_count = 2}));
  std::ofstream(path("c.json")) << "{}";
  expect_error("c.png", {}, ErrorCode::kUsage, "c.json");
  EXPECT_NO_THROW(check_output(path("c.png"), {.settings_file = false}));
}

TEST(SequenceNames, FollowThePattern) {
  EXPECT_EQ(SequenceNames("d/clip.png", 2).frame(1), "d/clip-0001.png");
  EXPECT_EQ(SequenceNames("d/clip.png", 2).settings(), "d/clip.json");
  EXPECT_EQ(SequenceNames("clip.png", 0).frame(12345), "clip-12345.png");
  EXPECT_EQ(SequenceNames("clip.png", 1).frame(1), "clip.png");
  EXPECT_EQ(SequenceNames("clip.png", 1).settings(), "clip.json");
  EXPECT_EQ(SequenceNames("d/f_%03d.png", 1).frame(7), "d/f_007.png");
  EXPECT_EQ(SequenceNames("d/f_%03d.png", 1).settings(), "d/f.json");
  EXPECT_EQ(SequenceNames("%d.png", 2).frame(7), "7.png");
  EXPECT_EQ(SequenceNames("%d.png", 2).settings(), "settings.json");
  EXPECT_EQ(SequenceNames("100%.png", 2).frame(1), "100%-0001.png");
  EXPECT_EQ(SequenceNames("%s%n.png", 2).frame(1), "%s%n-0001.png");
  EXPECT_THROW(SequenceNames("%d-%04d.png", 2), Error);
}

}  // namespace
}  // namespace t2v
