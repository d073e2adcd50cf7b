#include "core/file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>

#include "temporary_folder.h"

namespace t2v {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class FileTest : public TemporaryFolder {
 protected:
  /// What reading and mapping `file` both say.
  static std::string refusal(const std::filesystem::path& file) {
    const std::string read = error_of(ErrorCode::kInput, [&] { read_file(file, 100); });
    EXPECT_EQ(error_of(ErrorCode::kInput, [&] { MappedFile{file}; }), read);
    return read;
  }
};

TEST_F(FileTest, ReadsAndMapsAFile) {
  const std::string bytes("a\0b\n\xFF", 5);
  const auto file = write("a", bytes);
  EXPECT_EQ(read_file(file, 5), bytes);
  const MappedFile mapped(file);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(mapped.data()), mapped.size()), bytes);
}

TEST_F(FileTest, AnEmptyFileIsEmpty) {
  const auto file = write("a", "");
  EXPECT_EQ(read_file(file, 0), "");
  EXPECT_EQ(MappedFile(file).size(), 0u);
  EXPECT_EQ(MappedFile(file).data(), nullptr);
}

TEST_F(FileTest, ReadsAtMostWhatIsAllowed) {
  const auto file = write("a", "12345");
  EXPECT_THAT(error_of(ErrorCode::kInput, [&] { read_file(file, 4); }),
              AllOf(HasSubstr("5 bytes"), HasSubstr("at most 4")));
  std::filesystem::resize_file(file, int64_t{1} << 40);  // sparse: nothing that could be allocated
  EXPECT_THAT(error_of(ErrorCode::kInput, [&] { read_file(file, 4); }), HasSubstr("1099511627776 bytes"));
}

TEST_F(FileTest, RefusesWhatIsNoReadableFile) {
  EXPECT_THAT(refusal(path("missing")), AllOf(HasSubstr("missing"), HasSubstr("no such file")));
  EXPECT_THAT(refusal(path("")), HasSubstr("a folder"));
  write("file", "");
  EXPECT_NE(refusal(path("file/below")), "");
  std::filesystem::create_symlink("nowhere", path("dangling"));
  EXPECT_THAT(refusal(path("dangling")), HasSubstr("no such file"));
  std::filesystem::create_symlink("circle", path("circle"));
  EXPECT_NE(refusal(path("circle")), "");
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_THAT(refusal(path("fifo")), HasSubstr("special"));  // and does not wait for a writer
  EXPECT_THAT(refusal("/dev/zero"), HasSubstr("special"));
}

TEST_F(FileTest, FollowsLinks) {
  write("target", "x");
  std::filesystem::create_symlink("target", path("link"));
  EXPECT_EQ(read_file(path("link"), 1), "x");
  EXPECT_EQ(MappedFile(path("link")).size(), 1u);
}

TEST_F(FileTest, IsDroppedFromMemoryAndReadAgain) {
  const auto file = write("a", std::string(1 << 20, 'x'));
  struct statfs system {};
  ASSERT_EQ(::statfs(file.c_str(), &system), 0);
  if (system.f_type == TMPFS_MAGIC) GTEST_SKIP() << "temporary files live in memory here";
  const int descriptor = ::open(file.c_str(), O_RDONLY);
  ASSERT_EQ(::fsync(descriptor), 0);
  ::close(descriptor);
  const MappedFile mapped(file);
  const std::span bytes(mapped.data(), mapped.size());
  const auto count = [&] { return std::count(bytes.begin(), bytes.end(), std::byte{'x'}); };
  EXPECT_EQ(count(), 1 << 20);
  EXPECT_TRUE(drop_from_memory(file, bytes));
  EXPECT_EQ(count(), 1 << 20);
}

TEST_F(FileTest, IsNotDroppedWhereItLivesInMemory) {
  const int descriptor = ::memfd_create("test", MFD_CLOEXEC);
  ASSERT_EQ(::write(descriptor, "x", 1), 1);
  const std::filesystem::path file = "/proc/self/fd/" + std::to_string(descriptor);
  const MappedFile mapped(file);
  EXPECT_FALSE(drop_from_memory(file, {mapped.data(), mapped.size()}));
  ::close(descriptor);
}

TEST_F(FileTest, NothingIsSaidOfAnothersFileThatStaysInMemory) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  const int descriptor = ::memfd_create("test", MFD_CLOEXEC);
  ASSERT_EQ(::write(descriptor, "x", 1), 1);
  ASSERT_EQ(::fchmod(descriptor, 0444), 0);
  const std::filesystem::path file = "/proc/self/fd/" + std::to_string(descriptor);
  const MappedFile mapped(file);
  const std::span bytes(mapped.data(), mapped.size());
  const auto dropped_by_another = [&] {
    if (::seteuid(65534) != 0) std::exit(2);
    std::exit(drop_from_memory(file, bytes) ? 0 : 1);
  };
  EXPECT_EXIT(dropped_by_another(), testing::ExitedWithCode(0), "");
  ::close(descriptor);
}

TEST_F(FileTest, AMappingNeedsNoDescriptor) {
  const auto file = write("a", "x");
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{.rlim_cur = 32, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  std::vector<std::unique_ptr<MappedFile>> mapped;
  EXPECT_NO_THROW({
    for (int i = 0; i < 40; ++i) mapped.push_back(std::make_unique<MappedFile>(file));
    for (int i = 0; i < 40; ++i) read_file(file, 1);
  });
  for (int i = 0; i < 40; ++i) EXPECT_THROW(MappedFile{path("")}, Error);
  EXPECT_THAT(error_of(ErrorCode::kInput, [&] { read_file(path("none"), 1); }), HasSubstr("no such file"));
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace t2v
