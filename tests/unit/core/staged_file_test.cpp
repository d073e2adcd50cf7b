#include "core/staged_file.h"

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

/// Which system calls fail from now on, and how; 0: they work. The definitions below stand before libc's in
/// this program.
struct Faults {
  int open_tmpfile = 0, fsync = 0, close = 0, linkat = 0, link = 0, rename = 0, renameat2 = 0;
};
Faults faults;

int failed(int error) {
  errno = error;
  return -1;
}

}  // namespace

extern "C" {
int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (faults.open_tmpfile != 0 && (flags & O_TMPFILE) == O_TMPFILE) return failed(faults.open_tmpfile);
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
int fsync(int descriptor) {
  if (faults.fsync != 0) return failed(faults.fsync);
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}
int close(int descriptor) {
  const auto result = static_cast<int>(::syscall(SYS_close, descriptor));
  return faults.close != 0 ? failed(faults.close) : result;
}
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  if (faults.linkat != 0) return failed(faults.linkat);
  return static_cast<int>(::syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}
int link(const char* from, const char* to) noexcept {
  if (faults.link != 0) return failed(faults.link);
  return static_cast<int>(::syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}
int rename(const char* from, const char* to) noexcept {
  if (faults.rename != 0) return failed(faults.rename);
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  if (faults.renameat2 != 0) return failed(faults.renameat2);
  return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}
}

namespace t2v {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class StagedFileTest : public ::testing::Test {
 protected:
  StagedFileTest() {
    std::string name = ::testing::TempDir() + "/t2v_staged_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~StagedFileTest() override {
    faults = {};
    fs::remove_all(folder_);
  }

  fs::path path(const std::string& name) const { return folder_ / name; }
  int64_t entries() const { return std::distance(fs::directory_iterator(folder_), fs::directory_iterator()); }
  static std::string content(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  /// Stages "new" and publishes it.
  static void write(const fs::path& file, bool overwrite) {
    StagedFile staged(file);
    ASSERT_EQ(::write(staged.descriptor(), "new", 3), 3);
    staged.sync();
    staged.publish(overwrite);
  }

  fs::path folder_;
};

/// With a file that has no name until the end, and with a hidden one.
class EveryStagedFileTest : public StagedFileTest, public ::testing::WithParamInterface<int> {
 protected:
  EveryStagedFileTest() { faults.open_tmpfile = GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(WithAndWithoutTmpfile, EveryStagedFileTest,
                         ::testing::Values(0, EOPNOTSUPP, EISDIR));

TEST_P(EveryStagedFileTest, AppearsWhenPublished) {
  {
    StagedFile staged(path("a"));
    EXPECT_EQ(entries(), GetParam() == 0 ? 0 : 1);
    EXPECT_FALSE(fs::exists(path("a")));
    staged.publish(false);
    EXPECT_EQ(content(path("a")), "");
  }
  EXPECT_EQ(entries(), 1);
  struct stat status {};
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0666 & ~mask);
}

TEST_P(EveryStagedFileTest, IsGoneWhenNotPublished) {
  std::ofstream(path("a")) << "old";
  { const StagedFile staged(path("a")); }
  EXPECT_EQ(content(path("a")), "old");
  EXPECT_EQ(entries(), 1);
}

TEST_P(EveryStagedFileTest, ReplacesOnlyWhenAsked) {
  std::ofstream(path("a")) << "old";
  try {
    write(path("a"), false);
    ADD_FAILURE() << "replaced";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
  }
  EXPECT_EQ(content(path("a")), "old");
  EXPECT_EQ(entries(), 1);
  write(path("a"), true);
  EXPECT_EQ(content(path("a")), "new");
  EXPECT_EQ(entries(), 1);
  write(path("b"), true);
  EXPECT_EQ(content(path("b")), "new");
}

TEST_P(EveryStagedFileTest, FollowsLinks) {
  fs::create_directory(path("real"));
  fs::create_symlink("real/a", path("first"));
  fs::create_symlink(path("first"), path("second"));
  write(path("second"), false);
  EXPECT_EQ(content(path("real/a")), "new");
  EXPECT_TRUE(fs::is_symlink(path("second")));
  fs::create_symlink("self", path("self"));
  EXPECT_THROW(StagedFile(path("self")), Error);
}

TEST_P(EveryStagedFileTest, AFailedCallLeavesTheOldFile) {
  for (int Faults::*call : {&Faults::fsync, &Faults::close, &Faults::rename, &Faults::linkat}) {
    std::ofstream(path("a")) << "old";
    const bool has_a_name = GetParam() != 0;
    if (has_a_name && call == &Faults::linkat) continue;  // not called then
    faults.*call = EIO;
    try {
      write(path("a"), true);
      ADD_FAILURE() << "published";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kOutput);
      EXPECT_THAT(error.what(), HasSubstr("Input/output error"));
    }
    faults.*call = 0;
    EXPECT_EQ(content(path("a")), "old");
    EXPECT_EQ(entries(), 1);
  }
}

TEST_F(StagedFileTest, FilesystemsWithoutTheRenameFlagOrLinksWork) {
  for (const Faults& without : {Faults{.open_tmpfile = EOPNOTSUPP, .renameat2 = EINVAL},
                                Faults{.open_tmpfile = EOPNOTSUPP, .link = EPERM, .renameat2 = EINVAL}}) {
    faults = without;
    write(path("a"), false);
    EXPECT_EQ(content(path("a")), "new");
    EXPECT_THROW(write(path("a"), false), Error);
    EXPECT_EQ(entries(), 1);
    fs::remove(path("a"));
  }
}

TEST_F(StagedFileTest, WhatIsNoFileIsNotReplaced) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_THROW(StagedFile file(path("fifo")), Error);
  EXPECT_TRUE(fs::is_fifo(path("fifo")));
}

TEST_F(StagedFileTest, AMissingFolderIsAnError) {
  for (const int error : {0, EOPNOTSUPP}) {
    faults.open_tmpfile = error;
    EXPECT_THROW(StagedFile(path("missing/a")), Error);
  }
}

TEST_F(StagedFileTest, RemovesLeftoversThatNobodyHolds) {
  std::ofstream(path(".t2v-1.part")) << "of a killed process";
  fs::create_directories(path(".t2v-2.part/x"));
  std::ofstream(path(".t2v-3.part")) << "of one that runs";
  std::ofstream(path(".t2v-other")) << "not ours";
  const int held = ::open(path(".t2v-3.part").c_str(), O_RDONLY);
  ASSERT_EQ(::flock(held, LOCK_EX), 0);
  { const StagedFile staged(path("a")); }
  EXPECT_FALSE(fs::exists(path(".t2v-1.part")));
  EXPECT_FALSE(fs::exists(path(".t2v-2.part")));
  EXPECT_TRUE(fs::exists(path(".t2v-3.part")));
  EXPECT_TRUE(fs::exists(path(".t2v-other")));
  ::close(held);
}

TEST_F(StagedFileTest, LeavesWhatAnotherWriterHolds) {
  faults.open_tmpfile = EOPNOTSUPP;
  StagedFile first(path("a"));
  StagedFile second(path("b"));
  const StagedFolder third(folder_);
  const StagedFolder fourth(folder_);
  EXPECT_EQ(entries(), 4);
  first.publish(false);
  second.publish(false);
  EXPECT_TRUE(fs::exists(third.path()));
}

}  // namespace
}  // namespace t2v
