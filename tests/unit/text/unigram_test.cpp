#include "text/unigram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace t2v {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> texts(const std::vector<Token>& tokens) {
  std::vector<std::string> list;
  for (const Token& token : tokens) list.push_back(token.text);
  return list;
}

std::vector<Token> encode(const Unigram& model, std::string_view text) {
  std::vector<Token> tokens;
  model.encode(text, &tokens);
  return tokens;
}

TEST(Unigram, TakesTheLargestSum) {
  const Unigram model(
      {{"<unk>", 0}, {"a", 0}, {"b", 0}, {"c", 0}, {"d", 0}, {"cd", 1}, {"ab", 2}, {"abc", 5}, {"abcd", 10}},
      {});
  EXPECT_THAT(texts(encode(model, "abcdacdxx")), ElementsAre("abcd", "a", "cd", "xx"));
  EXPECT_TRUE(encode(model, "").empty());
}

TEST(Unigram, OfEqualSumsTheOneFoundFirstStays) {
  // "ab"+"c" and "a"+"bc" both give -4; the path that reaches the end from the earlier start is offered
  // first.
  const Unigram model({{"<unk>", 0}, {"a", -2}, {"c", -2}, {"ab", -2}, {"bc", -2}}, {});
  EXPECT_THAT(texts(encode(model, "abc")), ElementsAre("a", "bc"));
}

TEST(Unigram, AnUnknownCostsTenMoreThanTheWorstPiece) {
  // "ab" and an unknown: -1 + (-8 - 10); "a" and "bc": -8 - 8.
  const Unigram model({{"<unk>", 0}, {"ab", -1}, {"a", -8}, {"bc", -8}}, {});
  EXPECT_THAT(texts(encode(model, "abc")), ElementsAre("a", "bc"));
  const Unigram cheaper({{"<unk>", 0}, {"ab", 3}, {"a", -8}, {"bc", -8}}, {});
  EXPECT_THAT(texts(encode(cheaper, "abc")), ElementsAre("ab", "c"));
}

TEST(Unigram, NeighbouringUnknownsAreOne) {
  const Unigram model({{"<unk>", 0}, {"a", -1}}, {});
  const auto tokens = encode(model, "猫x a😀");
  EXPECT_THAT(texts(tokens), ElementsAre("猫x ", "a", "😀"));
  EXPECT_EQ(tokens[0].id, 0);
  EXPECT_EQ(tokens[2].id, 0);
}

TEST(Unigram, BytesOnlyIfThereAreAllThatItNeeds) {
  const std::vector<Piece> vocab = {{"<unk>", 0}, {"<0xC3>", 0}, {"<0xA9>", 0}, {"a", -1}};
  const Unigram model(vocab, {.byte_fallback = true});
  std::vector<int64_t> ids;
  for (const Token& token : encode(model, "éaè")) ids.push_back(token.id);
  EXPECT_THAT(ids, ElementsAre(1, 2, 3, 0));
  EXPECT_EQ(encode(Unigram(vocab, {}), "é").at(0).id, 0);
}

TEST(Unigram, FindsIds) {
  const Unigram model({{"<unk>", 0}, {"ab", -1}}, {});
  EXPECT_EQ(model.id_of("ab"), 1);
  EXPECT_EQ(model.id_of("abc"), -1);
  EXPECT_EQ(model.id_of(""), -1);
}

TEST(Unigram, OfEqualPiecesTheLaterCounts) {
  const Unigram model({{"<unk>", 0}, {"a", -1}, {"a", -2}}, {});
  EXPECT_EQ(encode(model, "a").at(0).id, 2);
}

}  // namespace
}  // namespace t2v
