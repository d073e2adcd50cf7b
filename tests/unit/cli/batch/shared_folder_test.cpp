#include "cli/batch/shared_folder.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <utility>

#include <gtest/gtest.h>

namespace {

/// Called once, where a lock is refused.
std::function<void()> on_refusal;

}  // namespace

/// As Linux has it over NFS, by locks of ranges: one that cannot become exclusive stays shared.
extern "C" int flock(int descriptor, int operation) noexcept {
  struct flock range {};
  range.l_whence = SEEK_SET;
  range.l_type = static_cast<short>((operation & LOCK_EX) != 0   ? F_WRLCK
                                    : (operation & LOCK_SH) != 0 ? F_RDLCK
                                                                 : F_UNLCK);
  const int result = ::fcntl(descriptor, (operation & LOCK_NB) != 0 ? F_OFD_SETLK : F_OFD_SETLKW, &range);
  if (result != 0 && on_refusal) std::exchange(on_refusal, nullptr)();
  if (result != 0) errno = EWOULDBLOCK;
  return result;
}

namespace t2v {
namespace {

namespace fs = std::filesystem;

class BatchFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  void TearDown() override {
    on_refusal = nullptr;
    fs::remove_all(folder_);
  }

  const fs::path folder_ = ::testing::TempDir() + "t2v-batch-folder";
};

TEST_F(BatchFolder, TheLastOneFinishes) {
  SharedFolder first(folder_), second(folder_);
  int finished = 0;
  const auto finish = [&](const std::vector<std::string>&) { ++finished; };
  EXPECT_FALSE(first.leave(finish));
  EXPECT_TRUE(second.leave(finish));
  EXPECT_EQ(finished, 1);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(BatchFolder, OneOfTwoThatLeaveAtOnceFinishes) {
  SharedFolder first(folder_), second(folder_);
  int finished = 0;
  const auto finish = [&](const std::vector<std::string>&) { ++finished; };
  bool second_finished = false;
  on_refusal = [&] { second_finished = second.leave(finish); };
  EXPECT_NE(first.leave(finish), second_finished);
  EXPECT_EQ(finished, 1);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(BatchFolder, AClaimIsOfOne) {
  SharedFolder first(folder_), second(folder_);
  auto claim = first.claim("clip.mp4");
  ASSERT_TRUE(claim.has_value());
  EXPECT_FALSE(second.claim("clip.mp4").has_value());
  claim->fail("why");
  claim.reset();
  EXPECT_EQ(second.claim("clip.mp4")->failure(), "why");
}

TEST_F(BatchFolder, RandomNumberStays) {
  const uint64_t seen = random_number_of(folder_, /*only_look=*/true);
  EXPECT_TRUE(fs::is_empty(folder_));
  const uint64_t kept = random_number_of(folder_, /*only_look=*/false);
  EXPECT_NE(kept, seen);
  EXPECT_EQ(random_number_of(folder_, /*only_look=*/false), kept);
  EXPECT_EQ(random_number_of(folder_, /*only_look=*/true), kept);
  std::ofstream(folder_ / "clip.mp4") << "clip";
  remove_if_unused(folder_);
  EXPECT_EQ(random_number_of(folder_, /*only_look=*/true), kept);
  fs::remove(folder_ / "clip.mp4");
  remove_if_unused(folder_);
  EXPECT_FALSE(fs::exists(folder_));
}

}  // namespace
}  // namespace t2v
