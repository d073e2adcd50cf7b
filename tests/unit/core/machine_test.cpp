#include "core/machine.h"

#include <sys/resource.h>

#include <fstream>

#include <gtest/gtest.h>

namespace t2v {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

TEST(Machine, ShowsNoLessThanThereIs) {
  EXPECT_EQ(in_gib(0), "0.00 GiB");
  EXPECT_EQ(in_gib(kGiB), "1.00 GiB");
  EXPECT_EQ(in_gib(kGiB + 1), "1.01 GiB");
  EXPECT_EQ(in_gib(kGiB * 25 / 2), "12.50 GiB");
  EXPECT_EQ(in_gib(2 * kGiB - 1), "2.00 GiB");
}

uint64_t address_space() {
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * 4096;
}

TEST(Machine, MayAllocateWhatUlimitLeaves) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  const rlimit limited{address_space() + kGiB / 2, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &limited), 0);
  const uint64_t available = available_memory();
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_LE(available, kGiB / 2);
  EXPECT_GT(available_memory(), available);
}

}  // namespace
}  // namespace t2v
