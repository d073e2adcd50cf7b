#include "sampling/names/cache_options.h"

#include <gmock/gmock.h>

#include "t2v/error.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

std::string refused(const std::string& mode, const std::vector<std::string>& said) {
  try {
    read_cache_options(mode, said, 50);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage) << error.what();
    return error.what();
  }
  return "";
}

TEST(CacheOptions, AreTheAuthorsUnlessTold) {
  EXPECT_EQ(read_cache_options("none", {}, 50).mode, CacheMode::kNone);
  const StepCacheOptions easy = read_cache_options("easycache", {}, 50);
  EXPECT_EQ(easy.threshold, 0.05);
  EXPECT_EQ(easy.first, 10);
  EXPECT_EQ(easy.last, 1);
  const StepCacheOptions mag = read_cache_options("magcache", {"ratios=1,0.5,-2e-3"}, 28);
  EXPECT_EQ(mag.ratios, (std::vector<double>{1, 0.5, -0.002}));
  EXPECT_EQ(mag.first, 6);
  EXPECT_EQ(mag.max_skip, 4);
  const StepCacheOptions tea =
      read_cache_options("teacache", {"coefficients=1,2", "threshold=0.1", "threshold=0.3", "last=0"}, 50);
  EXPECT_EQ(tea.coefficients, (std::vector<double>{1, 2}));
  EXPECT_EQ(tea.threshold, 0.3);  // the last holds
  EXPECT_EQ(tea.last, 0);
  EXPECT_TRUE(read_cache_options("magcache", {"calibrate=yes"}, 50).calibrate);
}

TEST(CacheOptions, RefuseWhatIsNotTheirs) {
  EXPECT_THAT(refused("tea", {}), HasSubstr("none, teacache, magcache or easycache"));
  EXPECT_THAT(refused("none", {"threshold=1"}), HasSubstr("no `cache_mode`"));
  EXPECT_THAT(refused("easycache", {"treshold=1"}), HasSubstr("did you mean threshold?"));
  EXPECT_THAT(refused("easycache", {"ratios=1"}), HasSubstr("first, last, threshold"));
  EXPECT_THAT(refused("easycache", {"threshold"}), HasSubstr("KEY=VALUE"));
  for (const char* wrong : {"threshold=", "threshold=x", "threshold=-1", "threshold=nan", "threshold=1e999",
                            "threshold=1 ", "first=-1", "first=1.5", "first=99999999999999999999", "last="}) {
    EXPECT_THAT(refused("easycache", {wrong}), HasSubstr(std::string("`cache_option` ") + wrong)) << wrong;
  }
  for (const char* wrong : {"ratios=", "ratios=1,,2", "ratios=1,", "ratios=1;2", "calibrate=1"})
    EXPECT_THAT(refused("magcache", {wrong}), HasSubstr(wrong));
}

TEST(CacheOptions, SayWhatAModelLacks) {
  EXPECT_THAT(refused("teacache", {}), HasSubstr("coefficients=A,B,C,D,E"));
  EXPECT_THAT(refused("magcache", {}), HasSubstr("calibrate=yes"));
}

}  // namespace
}  // namespace t2v
