#include "cli/flags/with_flags.h"

#include <gtest/gtest.h>

namespace t2v {
namespace {

std::string shown(const std::string& message) {
  static int64_t number = 0;
  static bool on = false;
  const std::vector<FlagGroup> groups = {
      {"Some", {integer_flag({"--frames", "-f", "--num-frames"}, "", {0, 100}, number)}},
      {"Others",
       {switch_flag({"--vae-tiling"}, "", on, true), integer_flag({"--crf"}, "", {0, 63}, number)}}};
  return with_flags(groups, message);
}

TEST(WithFlags, NamesTheFlagOfASetting) {
  EXPECT_EQ(shown("`crf` 99: got VP9"), "--crf 99: got VP9");
  EXPECT_EQ(shown("use `num_frames` 77 or 81"), "use --frames 77 or 81");
  EXPECT_EQ(shown("`crf` (or `frames`), `crf`"), "--crf (or --frames), --crf");
  EXPECT_EQ(shown("leave out `vae_tiling`"), "leave out --vae-tiling");
}

TEST(WithFlags, ASwitchHasNoValue) {
  EXPECT_EQ(shown("add `vae_tiling` true `crf` 3"), "add --vae-tiling --crf 3");
  EXPECT_EQ(shown("add `vae_tiling` true"), "add --vae-tiling");
  EXPECT_EQ(shown("`vae_tiling` tru"), "--vae-tiling tru");
  EXPECT_EQ(shown("`crf` true"), "--crf true");
}

TEST(WithFlags, OtherTextStays) {
  for (const char* text :
       {"", "`", "``", "`crf", "crf`", "`CRF`", "`--crf`", "`f`", "`qrf`", "` crf`", "it's `so` and `so`",
        "a `b `c", "a ``crf`` b", "`crf``frames`", "mkdir -p no`crf`dir", "reading `crf`.bin", "/`crf`/x"}) {
    EXPECT_EQ(shown(text), text);
  }
}

}  // namespace
}  // namespace t2v
