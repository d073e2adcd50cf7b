// What happens when the disk, the folder or the reader on the other end lets us down.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "media_testing.h"
#include "t2v/error.h"

namespace {

/// A disk that says it stored a byte and did not: the one at this place of a file, or all from it on. -1:
/// none.
struct LyingDisk {
  off_t wrong_byte = -1, lost_from = -1;
};
LyingDisk lying_disk;

int sync_error = 0;  // what fsync fails with

}  // namespace

// These stand before libc's in this program.
extern "C" int fsync(int descriptor) {
  if (sync_error == 0) return static_cast<int>(::syscall(SYS_fsync, descriptor));
  errno = sync_error;
  return -1;
}
extern "C" ssize_t pwrite(int descriptor, const void* data, size_t size, off_t offset) {
  std::string bytes(static_cast<const char*>(data), size);
  const auto end = offset + static_cast<off_t>(size);
  if (lying_disk.wrong_byte >= offset && lying_disk.wrong_byte < end) {
    bytes[static_cast<size_t>(lying_disk.wrong_byte - offset)] ^= 0x40;
  }
  if (lying_disk.lost_from >= 0 && end > lying_disk.lost_from) {
    const auto kept = static_cast<size_t>(std::max<off_t>(0, lying_disk.lost_from - offset));
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(kept), bytes.end(), '\0');
  }
  return ::syscall(SYS_pwrite64, descriptor, bytes.data(), bytes.size(), offset);
}

namespace t2v {
namespace {

using ::testing::HasSubstr;

class OutputFaultsTest : public MediaTest {
 protected:
  OutputFaultsTest() {
    std::signal(SIGXFSZ, SIG_IGN);  // as the command does
    std::signal(SIGPIPE, SIG_IGN);
  }

  /// What failed, as "4: message"; "" if nothing did.
  static std::string failure(const fs::path& output, const ClipSettings& settings) {
    try {
      write_clip(output, settings);
      return "";
    } catch (const Error& error) {
      return std::to_string(static_cast<int>(error.code())) + ": " + error.what();
    }
  }
};

/// No file of this process may grow past a number of bytes, until the end of the scope.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(OutputFaultsTest, EveryFileSizeLimitIsNoticed) {
  for (const std::string name : {"a.mp4", "a.mkv", "l.mkv", "a.webm", "a.mov", "a.gif", "a.png"}) {
    ClipSettings settings = small_clip(6);
    settings.comment = "{}";
    if (name[0] == 'l') settings.quality = "lossless";
    const std::string file = name == "a.png" ? "a-0001.png" : name;
    write_clip(path(name), settings);
    const std::string old = content(path(file));
    const int64_t there = entries();
    settings.overwrite = true;
    settings.fps = 17;
    // From nothing fits to only the last bytes do not, which for .mp4 is the index.
    for (size_t limit = 0; limit < old.size() - 64; limit += 1 + old.size() / 23) {
      const FileSizeLimit scope(limit);
      const std::string got = failure(path(name), settings);
      EXPECT_THAT(got, HasSubstr("4: writing")) << name << " " << limit;
      EXPECT_THAT(got, HasSubstr("File too large")) << name << " " << limit;
      EXPECT_TRUE(content(path(file)) == old) << name << " " << limit;
      EXPECT_EQ(entries(), there);
    }
  }
}

TEST_F(OutputFaultsTest, EveryFullDiskIsNoticed) {
  // Sizes in pages; every file below is at least two of them.
  for (const int pages : {1, 2, 3, 4}) {
    const std::string size = "size=" + std::to_string(pages * 4096) + ",nr_inodes=32";
    if (::mount("tmpfs", folder_.c_str(), "tmpfs", 0, size.c_str()) != 0) {
      GTEST_SKIP() << "needs the right to mount a tmpfs";
    }
    const ClipSettings settings{
        .width = 256, .height = 256, .fps = 16, .quality = "high", .frame_count = 8, .overwrite = true};
    std::ofstream(path("a.mp4")) << "old";
    for (const char* name : {"a.mp4", "b.mkv", "c.png", "d.mov", "e.gif"}) {
      EXPECT_THAT(failure(path(name), settings), HasSubstr("4: writing")) << name << " " << pages;
      EXPECT_THAT(failure(path(name), settings), HasSubstr("No space left on device"))
          << name << " " << pages;
    }
    EXPECT_TRUE(content(path("a.mp4")) == "old");
    EXPECT_EQ(entries(), 1);
    ASSERT_EQ(::umount(folder_.c_str()), 0);
  }
}

TEST_F(OutputFaultsTest, AReadOnlyDiskIsNoticedBeforehand) {
  if (::mount("tmpfs", folder_.c_str(), "tmpfs", MS_RDONLY, "") != 0) {
    GTEST_SKIP() << "needs the right to mount a tmpfs";
  }
  EXPECT_THAT(failure(path("a.mp4"), small_clip()), HasSubstr("4: writing"));
  EXPECT_THAT(failure(path("a.mp4"), small_clip()), HasSubstr("Read-only file system"));
  ASSERT_EQ(::umount(folder_.c_str()), 0);
}

TEST_F(OutputFaultsTest, ALyingDiskIsNoticed) {
  for (const std::string name : {"a.mp4", "a.mkv", "l.mkv", "a.webm", "a.mov", "a.gif"}) {
    ClipSettings settings = small_clip(6);
    settings.comment = "{\"prompt\": \"a ball\"}";
    if (name[0] == 'l') settings.quality = "lossless";
    write_clip(path(name), settings);
    const std::string good = content(path(name));
    settings.overwrite = true;
    const auto size = static_cast<off_t>(good.size());
    const auto comment = static_cast<off_t>(good.find("a ball"));
    std::vector<LyingDisk> lies = {{.lost_from = 0}, {.lost_from = size / 2}, {.wrong_byte = comment}};
    // A wrong bit in H.264 is a picture all the same.
    if (name[0] == 'l') lies.insert(lies.end(), {{.wrong_byte = size / 2}, {.wrong_byte = size * 3 / 4}});
    for (const LyingDisk& lie : lies) {
      lying_disk = lie;
      const std::string got = failure(path(name), settings);
      lying_disk = {};
      EXPECT_THAT(got, HasSubstr("4: writing")) << name << " " << lie.wrong_byte << " " << lie.lost_from;
      EXPECT_TRUE(content(path(name)) == good);
    }
  }
}

TEST_F(OutputFaultsTest, ADiskThatCannotSyncIsNoticed) {
  for (const std::string name : {"a.mp4", "a.mkv", "a.webm", "a.mov", "a.gif", "a.png"}) {
    const std::string file = name == "a.png" ? "a-0001.png" : name;
    std::ofstream(path(file)) << "old";
    ClipSettings settings = small_clip();
    settings.overwrite = true;
    const int64_t there = entries();
    sync_error = EIO;
    const std::string got = failure(path(name), settings);
    sync_error = 0;
    EXPECT_THAT(got, HasSubstr("4: writing"));
    EXPECT_THAT(got, HasSubstr("Input/output error"));
    EXPECT_EQ(content(path(file)), "old");
    EXPECT_EQ(entries(), there);
  }
}

TEST_F(OutputFaultsTest, DevicesTakeAStream) {
  EXPECT_EQ(failure("/dev/null", small_clip()), "");
  const std::string full = failure("/dev/full", small_clip());
  EXPECT_THAT(full, HasSubstr("4: writing /dev/full"));
  EXPECT_THAT(full, HasSubstr("No space left on device"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(OutputFaultsTest, AFifoGetsMatroska) {
  const fs::path fifo = path("pipe");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::thread reader([&] { std::ofstream(path("copy.mkv"), std::ios::binary) << content(fifo); });
  ClipSettings settings = small_clip(17);
  settings.comment = "{\"a\": 1}";
  EXPECT_EQ(failure(fifo, settings), "");
  reader.join();
  EXPECT_TRUE(fs::is_fifo(fifo));
  EXPECT_EQ(read_clip(path("copy.mkv")).count, 17);
  const VideoReader copy(path("copy.mkv"));
  EXPECT_EQ(copy.info().comment, settings.comment);
  EXPECT_EQ(copy.info().color_space, "bt709");
  EXPECT_EQ(copy.info().fps, 16);
}

TEST_F(OutputFaultsTest, AReaderThatLeavesIsAnError) {
  const fs::path fifo = path("pipe");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::thread reader([&] {
    char first[10];
    const int descriptor = ::open(fifo.c_str(), O_RDONLY);
    EXPECT_EQ(::read(descriptor, first, sizeof first), static_cast<ssize_t>(sizeof first));
    ::close(descriptor);
  });
  const ClipSettings settings{
      .width = 256, .height = 256, .fps = 16, .quality = "lossless", .frame_count = 20};
  EXPECT_THAT(failure(fifo, settings), HasSubstr("Broken pipe"));
  reader.join();
}

TEST_F(OutputFaultsTest, StandardOutputTakesMatroska) {
  const int before = ::dup(STDOUT_FILENO);
  const int file = ::open(path("out.mkv").c_str(), O_CREAT | O_WRONLY, 0600);
  std::fflush(stdout);
  ::dup2(file, STDOUT_FILENO);
  const std::string got = failure("-", small_clip(5));
  ::close(STDOUT_FILENO);
  const std::string closed = failure("-", small_clip(5));
  ::dup2(before, STDOUT_FILENO);
  ::close(before);
  ::close(file);
  EXPECT_EQ(got, "");
  EXPECT_EQ(read_clip(path("out.mkv")).count, 5);
  EXPECT_THAT(closed, HasSubstr("4: writing -: got \"Bad file descriptor\""));
}

TEST_F(OutputFaultsTest, ALinkStaysAndItsTargetIsReplaced) {
  fs::create_directory(path("real"));
  std::ofstream(path("real/clip.mp4")) << "old";
  fs::create_symlink("real/clip.mp4", path("link.mp4"));
  fs::create_symlink("real/new.mp4", path("dangling.mp4"));
  ClipSettings settings = small_clip();
  EXPECT_THAT(failure(path("link.mp4"), settings), HasSubstr("2: "));
  EXPECT_EQ(failure(path("dangling.mp4"), settings), "");
  settings.overwrite = true;
  EXPECT_EQ(failure(path("link.mp4"), settings), "");
  EXPECT_TRUE(fs::is_symlink(path("link.mp4")));
  EXPECT_TRUE(fs::is_symlink(path("dangling.mp4")));
  EXPECT_EQ(read_clip(path("real/clip.mp4")).count, 5);
  EXPECT_EQ(read_clip(path("real/new.mp4")).count, 5);
}

TEST_F(OutputFaultsTest, UnpublishedLeavesNothing) {
  std::ofstream(path("a.mp4")) << "old";
  ClipSettings settings = small_clip();
  settings.overwrite = true;
  for (const char* name : {"a.mp4", "b.mkv"})
    make_clip_writer(path(name), settings)->write(moving_disc(3, 48, 64));
  EXPECT_EQ(content(path("a.mp4")), "old");
  EXPECT_EQ(entries(), 1);
}

TEST_F(OutputFaultsTest, TheFirstOfTwoWritersWins) {
  const auto first = make_clip_writer(path("a.mp4"), small_clip(1));
  const auto second = make_clip_writer(path("a.mp4"), small_clip(1));
  first->write(moving_disc(1, 48, 64));
  second->write(moving_disc(1, 48, 64, 9));
  first->publish();
  const std::string published = content(path("a.mp4"));
  try {
    second->publish();
    ADD_FAILURE() << "replaced it";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage) << error.what();
  }
  EXPECT_TRUE(content(path("a.mp4")) == published);
  EXPECT_EQ(entries(), 1);
}

TEST_F(OutputFaultsTest, MemoryDoesNotGrowWithTheClip) {
  // Runs in a process of its own, because the peak is a process's.
  const auto peak = [this](int64_t count) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const ClipSettings settings{
          .width = 320, .height = 192, .fps = 16, .frame_count = count, .overwrite = true};
      const auto writer = make_clip_writer(path("a.mp4"), settings);
      const Frames frames = moving_disc(4, 192, 320);
      for (int64_t i = 0; i < count; i += 4) writer->write(frames);
      writer->publish();
      rusage usage{};
      ::getrusage(RUSAGE_SELF, &usage);
      const bool sent = ::write(ends[1], &usage.ru_maxrss, sizeof usage.ru_maxrss) == sizeof usage.ru_maxrss;
      ::_exit(sent ? 0 : 1);
    }
    long kilobytes = 0;
    EXPECT_EQ(::read(ends[0], &kilobytes, sizeof kilobytes), static_cast<ssize_t>(sizeof kilobytes));
    ::close(ends[0]);
    ::close(ends[1]);
    return static_cast<double>(kilobytes);
  };
  const double few = peak(100);  // longer than what x264 looks ahead
  EXPECT_LT(peak(400), 1.1 * few);
}

}  // namespace
}  // namespace t2v
