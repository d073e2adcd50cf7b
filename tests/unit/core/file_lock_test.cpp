#include "core/file_lock.h"

#include <fstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "temporary_folder.h"

namespace t2v {
namespace {

class FileLockTest : public TemporaryFolder {};

TEST_F(FileLockTest, WhoAddsToAFileDoesSoAlone) {
  const auto counter = path("counter"), lock = path("lock");
  const auto count = [&] {
    int number = 0;
    std::ifstream(counter) >> number;
    return number;
  };
  constexpr int kThreads = 4, kTimes = 100;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kTimes; ++n) {
        const FileLock held(lock);
        const int next = count() + 1;
        std::ofstream(counter) << next;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(count(), kThreads * kTimes);
}

TEST_F(FileLockTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_NE(error_of(ErrorCode::kOutput, [&] { const FileLock lock(path("none") / "lock"); }), "");
}

}  // namespace
}  // namespace t2v
