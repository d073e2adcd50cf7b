#include "files/hub/repository.h"

#include <gtest/gtest.h>

namespace t2v {
namespace {

TEST(Repository, Names) {
  const auto repository = parse_repository("Wan-AI/Wan2.1-T2V-1.3B-Diffusers");
  ASSERT_TRUE(repository);
  EXPECT_EQ(repository->id, "Wan-AI/Wan2.1-T2V-1.3B-Diffusers");
  EXPECT_EQ(repository->revision, "main");
  EXPECT_EQ(parse_repository("a/b@v1.0")->revision, "v1.0");
  EXPECT_EQ(parse_repository("a/b@refs/pr/12")->revision, "refs/pr/12");
}

TEST(Repository, WhatIsNone) {
  for (const char* text : {"",       "a",      "a/",    "/a",     "a/b/c",    "../a",   "a/..",     "a/.b",
                           "-a/b",   "a/b--c", "a/b c", "a/b@",   "a/b@../c", "a/b@-c", "a/b@c//d", "a/b@c/",
                           "a/b\\c", "a/b?c",  "a/b#c", "a/b%2e", "~/a",      "a/b\n",  "ä/b"}) {
    EXPECT_FALSE(parse_repository(text)) << text;
  }
  EXPECT_FALSE(parse_repository("a/" + std::string(97, 'b')));
  EXPECT_FALSE(parse_repository(std::string("a/b\0c", 5)));
}

TEST(Repository, Commits) {
  EXPECT_TRUE(is_commit(std::string(40, 'a')));
  for (const std::string& text :
       {std::string(39, 'a'), std::string(41, 'a'), std::string(40, 'A'), std::string(40, 'g')}) {
    EXPECT_FALSE(is_commit(text)) << text;
  }
}

TEST(Repository, BlobHashes) {
  EXPECT_TRUE(is_blob_hash(std::string(40, '0')));
  EXPECT_TRUE(is_blob_hash(std::string(64, 'f')));
  EXPECT_FALSE(is_blob_hash(std::string(63, 'f')));
  EXPECT_FALSE(is_blob_hash(std::string(64, '/')));
  EXPECT_FALSE(is_blob_hash(""));
}

TEST(Repository, SafePaths) {
  for (const char* path : {"a", "a/b.json", ".gitattributes", "a..b", "模型/x", "a b"}) {
    EXPECT_TRUE(is_safe_path(path)) << path;
  }
  for (const char* path : {"", ".", "..", "/a", "a/", "a//b", "../x", "a/../b", "a/./b", "a\\b", "a\nb",
                           "\x1b[31m", "\xff", "a/.."}) {
    EXPECT_FALSE(is_safe_path(path)) << path;
  }
  EXPECT_FALSE(is_safe_path(std::string("a\0b", 3)));
  EXPECT_FALSE(is_safe_path(std::string(1025, 'a')));
}

TEST(Repository, PercentEncode) {
  EXPECT_EQ(percent_encode("a-B_9.~"), "a-B_9.~");
  EXPECT_EQ(percent_encode("refs/pr/1 #?%"), "refs%2Fpr%2F1%20%23%3F%25");
  EXPECT_EQ(percent_encode("ä"), "%C3%A4");
}

}  // namespace
}  // namespace t2v
