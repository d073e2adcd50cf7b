#include "files/hub/digest.h"

#include <gtest/gtest.h>

namespace t2v {
namespace {

std::string digest_of(size_t digits, const std::string& text) {
  Digest digest(digits, static_cast<int64_t>(text.size()));
  for (const char c : text) digest.add({&c, 1});
  return digest.finish();
}

TEST(Digest, Sha256) {
  // FIPS 180-4's example.
  EXPECT_EQ(digest_of(64, "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of(64, ""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, GitBlob) {
  // git hash-object of "hello\n" and of nothing.
  EXPECT_EQ(digest_of(40, "hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
  EXPECT_EQ(digest_of(40, ""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
}

}  // namespace
}  // namespace t2v
