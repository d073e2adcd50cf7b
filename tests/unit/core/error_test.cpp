#include "t2v/error.h"

#include <set>

#include <gtest/gtest.h>

namespace t2v {
namespace {

std::string message(const Error::Parts& parts) { return Error(ErrorCode::kInput, parts).what(); }

TEST(Error, JoinsTheFourParts) {
  EXPECT_EQ(message({.doing = "reading x", .got = "7 bytes", .expected = "8", .advice = "download it again"}),
            "reading x: got 7 bytes, expected 8; download it again");
}

TEST(Error, LeavesOutEmptyParts) {
  EXPECT_EQ(message({.doing = "--seed", .expected = "a number"}), "--seed, expected a number");
  EXPECT_EQ(message({.got = "nothing"}), "got nothing");
  EXPECT_EQ(message({.advice = "try again"}), "try again");
  EXPECT_EQ(message({.doing = "reading x", .advice = "try again"}), "reading x; try again");
  EXPECT_EQ(message({}), "");
}

TEST(Error, IsOneSafeLine) {
  EXPECT_EQ(message({.doing = "reading a\nb\x1B[31m", .got = "\xFF"}), "reading a\\nb\\x1b[31m: got \\xff");
}

TEST(Error, CarriesTheExitCode) {
  EXPECT_EQ(static_cast<int>(Error(ErrorCode::kNumbers, {}).code()), 6);
  EXPECT_EQ(static_cast<int>(Error(ErrorCode::kUsage, {}).code()), 2);
}

TEST(Error, EveryCodeHasAMeaningOfItsOwn) {
  std::set<std::string> meanings;
  for (int code = 1; code <= static_cast<int>(ErrorCode::kNetwork); ++code)
    EXPECT_TRUE(meanings.insert(describe(ErrorCode{code})).second) << code;
  EXPECT_FALSE(meanings.contains(""));
  EXPECT_STREQ(describe(ErrorCode{0}), "");
}

}  // namespace
}  // namespace t2v
