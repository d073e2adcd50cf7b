#include "core/text.h"

#include <gtest/gtest.h>

namespace t2v {
namespace {

TEST(Text, AcceptsWellFormedUtf8) {
  // The first and the last of every length, and both sides of the surrogates.
  for (const std::string text :
       {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\x88z"}) {
    EXPECT_TRUE(is_valid_utf8(text)) << escape_for_display(text);
  }
  EXPECT_TRUE(is_valid_utf8(std::string(1, '\0')));
}

TEST(Text, RefusesMalformedUtf8) {
  for (const std::string text : {"\x80",
                                 "\xBF",
                                 "\xC0\x80",
                                 "\xC1\xBF",
                                 "\xE0\x80\x80",
                                 "\xE0\x9F\xBF",
                                 "\xED\xA0\x80",
                                 "\xED\xBF\xBF",
                                 "\xF0\x80\x80\x80",
                                 "\xF0\x8F\xBF\xBF",
                                 "\xF4\x90\x80\x80",
                                 "\xF5\x80\x80\x80",
                                 "\xFE",
                                 "\xFF",
                                 "\xC3",
                                 "\xE2\x82",
                                 "\xF0\x9F\x90",
                                 "a\xC3z",
                                 "\xE2\x82z",
                                 "\xC3\xC3\xA9"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << escape_for_display(text);
  }
}

TEST(Text, ShowsTextAsItIs) {
  const std::string text = "%s $(x) \\ \"caf\xC3\xA9\" \xF0\x9F\x90\x88 \xD7\xA9";
  EXPECT_EQ(escape_for_display(text), text);
}

TEST(Text, EscapesControlCharactersAndBadBytes) {
  EXPECT_EQ(escape_for_display("a\nb\tc\rd"), "a\\nb\\tc\\x0dd");
  EXPECT_EQ(escape_for_display(std::string("\0\x1B[2J\x7F", 6)), "\\x00\\x1b[2J\\x7f");
  EXPECT_EQ(escape_for_display("\xC2\x9B"
                               "31m"),
            "\\xc2\\x9b31m");  // C1: a terminal takes it for ESC [
  EXPECT_EQ(escape_for_display("\xC2\xA0"), "\xC2\xA0");
  EXPECT_EQ(escape_for_display("\xE2\x82"), "\\xe2\\x82");
  EXPECT_EQ(escape_for_display("\xC3z"), "\\xc3z");
}

TEST(Text, QuotesForAShell) {
  EXPECT_EQ(in_shell_quotes(""), "''");
  EXPECT_EQ(in_shell_quotes("a $(x) \"b\""), "'a $(x) \"b\"'");
  EXPECT_EQ(in_shell_quotes("it's"), "'it'\\''s'");
}

TEST(Text, FindsWhatWasMeant) {
  const std::vector<std::string> flags = {"--prompt", "--prompt-file", "--steps", "--seed"};
  EXPECT_EQ(closest_match("--promt", flags), "--prompt");
  EXPECT_EQ(closest_match("--stpes", flags), "--steps");
  EXPECT_EQ(closest_match("--seed", flags), "--seed");
  EXPECT_EQ(closest_match("--wibble", flags), "");
  EXPECT_EQ(closest_match("abc", {"abd"}), "abd");  // one of three
  EXPECT_EQ(closest_match("ab", {"ac"}), "");       // one of two is too far
  EXPECT_EQ(closest_match("", flags), "");
  EXPECT_EQ(closest_match("x", {}), "");
}

}  // namespace
}  // namespace t2v
