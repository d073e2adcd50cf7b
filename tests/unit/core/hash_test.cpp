#include "core/hash.h"

#include <gtest/gtest.h>

namespace t2v {
namespace {

// The published test vectors.
TEST(Hash, IsFnv1a) {
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325u);
  EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(fnv1a_name("foobar"), "85944171f73967e8");
  EXPECT_EQ(fnv1a("\xff"), (0xcbf29ce484222325u ^ 0xff) * 0x100000001b3u);
}

}  // namespace
}  // namespace t2v
