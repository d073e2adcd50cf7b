#include "text/prompt_clean.h"

#include <gtest/gtest.h>

#include <ctime>
#include <fstream>

#include <nlohmann/json.hpp>

#include "t2v/error.h"

namespace t2v {
namespace {

TEST(PromptClean, EqualsTheReference) {
  std::ifstream stream(T2V_FIXTURES "/text/prompt_clean.json");
  const auto rows = nlohmann::json::parse(stream);
  ASSERT_GE(rows.size(), 150u);
  for (const auto& row : rows) {
    EXPECT_EQ(prompt_clean(row[0].get<std::string>()), row[1].get<std::string>()) << row[0];
  }
}

TEST(PromptClean, LeavesWronglyDecodedTextAlone) {
  // The reference makes "só" of this.
  EXPECT_EQ(prompt_clean("s\u00C3\u00B3"), "s\u00C3\u00B3");
}

TEST(PromptClean, RefusesWhatIsNotUtf8) {
  for (const char* text : {"\xFF", "a\xC3", "\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80"}) {
    EXPECT_THROW(prompt_clean(text), Error);
  }
}

TEST(PromptClean, NestedEntitiesTakeNoMinutes) {
  std::string named = "&", referenced = "2;";
  for (int i = 0; i < 16000; ++i) named += "amp;";
  for (int i = 0; i < 4000; ++i) referenced = "&#5&#4" + referenced + "8;";  // each makes "&#50;", a 2
  const auto begin = std::clock();
  EXPECT_EQ(prompt_clean(named), "&");
  prompt_clean(referenced);
  EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 1);
}

TEST(PromptClean, AnEscapeGoesBeforeWhatIsNested) {
  // ftfy 6.3.1: the first round leaves "[&#11;AMP".
  EXPECT_EQ(prompt_clean("\033[&#11&semi;AMP"), "[AMP");
}

}  // namespace
}  // namespace t2v
