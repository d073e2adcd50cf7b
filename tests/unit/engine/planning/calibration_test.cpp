#include "engine/planning/calibration.h"

#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace t2v {
namespace {

namespace fs = std::filesystem;

class CalibrationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("calibration-" + std::to_string(::getpid()));
    ::setenv("XDG_CACHE_HOME", folder_.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("XDG_CACHE_HOME");
    fs::remove_all(folder_);
  }
  fs::path file() const { return folder_ / "t2v" / "calibration.json"; }

  fs::path folder_;
};

PhaseWork sampling(double width, double length, double amount) {
  return {.phase = "sampling", .dtype = "float32", .width = width, .length = length, .amount = amount};
}

TEST_F(CalibrationTest, TakesTheRateOfTheMostSimilarWork) {
  Calibration calibration = Calibration::of("a");
  EXPECT_FALSE(calibration.seconds(sampling(128, 80, 1)));
  calibration.add(sampling(128, 80, 1000), 2);    // 500 a second
  calibration.add(sampling(128, 1280, 1000), 1);  // 1000 a second
  EXPECT_DOUBLE_EQ(calibration.seconds(sampling(128, 160, 5000)).value(), 10);
  EXPECT_DOUBLE_EQ(calibration.seconds(sampling(256, 5000, 5000)).value(), 5);
  EXPECT_FALSE(calibration.seconds({.phase = "decoding", .dtype = "float32"}));
  EXPECT_FALSE(calibration.seconds({.phase = "sampling", .dtype = "bfloat16"}));
}

TEST_F(CalibrationTest, IsKeptForEachDevice) {
  for (const std::string device : {"a", "b"}) {
    Calibration calibration = Calibration::of(device);
    calibration.add(sampling(128, 80, device == "a" ? 10 : 20), 1);
    calibration.add(sampling(128, 80, device == "a" ? 30 : 40), 1);  // in place of the other
    calibration.store();
  }
  EXPECT_DOUBLE_EQ(Calibration::of("a").seconds(sampling(128, 80, 30)).value(), 1);
  EXPECT_DOUBLE_EQ(Calibration::of("b").seconds(sampling(128, 80, 40)).value(), 1);
  EXPECT_FALSE(Calibration::of("c").seconds(sampling(128, 80, 1)));
}

TEST_F(CalibrationTest, KeepsWhatOthersStoredMeanwhile) {
  Calibration one = Calibration::of("a"), other = Calibration::of("a");
  one.add(sampling(128, 80, 10), 1);
  other.add(sampling(256, 80, 20), 1);
  one.store();
  other.store();
  EXPECT_DOUBLE_EQ(Calibration::of("a").seconds(sampling(128, 80, 10)).value(), 1);
  EXPECT_DOUBLE_EQ(Calibration::of("a").seconds(sampling(256, 80, 20)).value(), 1);
}

TEST_F(CalibrationTest, ManyCanStoreAtOnce) {
  constexpr int kThreads = 8, kEach = 8;
  const auto device = [](int thread, int i) { return std::to_string(thread) + "." + std::to_string(i); };
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i) {
        Calibration calibration = Calibration::of(device(thread, i));
        calibration.add(sampling(128, 80, 10), 1);
        calibration.store();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int thread = 0; thread < kThreads; ++thread) {
    for (int i = 0; i < kEach; ++i) {
      EXPECT_TRUE(Calibration::of(device(thread, i)).seconds(sampling(128, 80, 10))) << device(thread, i);
    }
  }
}

TEST_F(CalibrationTest, DamagedFilesCountAsEmpty) {
  for (const std::string content : {"", "[]", "{", R"({"version": 2, "devices": {}})", R"({"version": 1})",
                                    R"({"version": 1, "devices": {"a": 1}})",
                                    R"({"version": 1, "devices": {"a": [{}, 1, {"phase": "sampling", "dtype":
                                       "float32", "width": -1, "length": 1, "per_second": 1}]}})"}) {
    fs::create_directories(file().parent_path());
    std::ofstream(file()) << content;
    EXPECT_FALSE(Calibration::of("a").seconds(sampling(128, 80, 1))) << content;
    Calibration calibration = Calibration::of("a");
    calibration.add(sampling(128, 80, 1), 1);
    calibration.store();
    EXPECT_TRUE(Calibration::of("a").seconds(sampling(128, 80, 1))) << content;
  }
}

}  // namespace
}  // namespace t2v
