#include "t2v/process.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "t2v/generate.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// The environment before the first test, each variable in a line.
std::string environment() {
  std::string text;
  for (char** variable = environ; *variable != nullptr; ++variable) text += std::string(*variable) + '\n';
  return text;
}
const std::string kEnvironment = environment();

/// The largest niceness of a thread of this process.
int largest_niceness() {
  int largest = -20;
  std::error_code ignored;
  for (const fs::directory_entry& task : fs::directory_iterator("/proc/self/task", ignored)) {
    const auto thread = static_cast<id_t>(std::stoul(task.path().filename()));
    errno = 0;
    const int niceness = ::getpriority(PRIO_PROCESS, thread);
    if (errno == 0) largest = std::max(largest, niceness);  // the thread may have ended
  }
  return largest;
}

/// Whether a fixed M_MMAP_THRESHOLD gives a block of this size a mapping of its own although one was freed:
/// glibc raises a threshold that nobody has set to the size of each mapping that is freed.
bool has_own_mapping(size_t bytes) {
  ::malloc_trim(0);
  void* volatile block = std::malloc(bytes);  // volatile: the compiler leaves no pair of malloc and free out
  std::free(block);
  const auto mappings = ::mallinfo2().hblks;
  block = std::malloc(bytes);
  const bool own = ::mallinfo2().hblks > mappings;
  std::free(block);
  return own;
}

/// Renders a frame and returns the largest niceness that a thread had.
int render() {
  std::atomic<bool> done = false;
  std::atomic<int> largest = -20;
  std::thread watcher([&] {
    while (!done) largest = std::max<int>(largest, largest_niceness());
  });
  GenerateRequest request{
      .prompt = "a red ball", .size = {.num_frames = 1}, .sampling = {.num_inference_steps = 1, .seed = 1}};
  request.model.model = fs::path(T2V_FIXTURES) / "tiny-wan";
  request.size.width = request.size.height = 32;
  generate(request, {.on_frames = [](const DecodedFrames&) {}});
  done = true;
  watcher.join();
  return largest;
}

TEST(Process, StaysAsItIsUnlessItMayBeTuned) {
  const int niceness = largest_niceness();
  EXPECT_EQ(render(), niceness);
  EXPECT_TRUE(environment() == kEnvironment);
  constexpr size_t kSize = 24 << 20;  // more than the threshold of tune_process(), less than glibc's largest
  EXPECT_FALSE(has_own_mapping(kSize));
  tune_process();
  render();
  EXPECT_TRUE(has_own_mapping(kSize));
}

}  // namespace
}  // namespace t2v
