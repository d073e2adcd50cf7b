#include "core/config.h"

#include <nlohmann/json.hpp>

#include "temporary_folder.h"

namespace t2v {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Config config(const std::string& text) { return Config(nlohmann::json::parse(text), "x.json"); }

template <typename Read>
void expect_refused(const std::vector<std::string>& values, const Read& read) {
  for (const std::string& value : values) {
    const Config one = config(R"({"key":)" + value + "}");
    EXPECT_THAT(error_of(ErrorCode::kInput, [&] { read(one); }),
                AllOf(HasSubstr("x.json"), HasSubstr("'key'")))
        << value;
  }
}

class ConfigTest : public TemporaryFolder {};

TEST_F(ConfigTest, ReadsEveryType) {
  const Config read = Config::read(write(
      "config.json",
      R"({"flag":true,"eps":1e-6,"whole":2,"name":"x","dim":1536,"list":[1,2],"mean":[-0.5,1],"down":[false,true]})"));
  EXPECT_TRUE(read.boolean("flag", false));
  EXPECT_EQ(read.number("eps", 0), 1e-6);
  EXPECT_EQ(read.number("whole", 0), 2.0);
  EXPECT_EQ(read.text("name", ""), "x");
  EXPECT_EQ(read.integer("dim", 0), 1536);
  EXPECT_THAT(read.integers("list", {}), ElementsAre(1, 2));
  EXPECT_THAT(read.numbers("mean", {}), ElementsAre(-0.5, 1.0));
  EXPECT_THAT(read.booleans("down", {}), ElementsAre(false, true));
  EXPECT_EQ(read.origin(), path("config.json").string());
}

// Python's json module writes and reads them; in a key that nobody asks for they do no harm.
TEST_F(ConfigTest, InfinitiesAreNoNumbers) {
  const Config read = Config::read(write(
      "config.json", R"({"name":"a \"NaN\" \\","low":-Infinity,"high":Infinity,"none":NaN,"eps":0.5})"));
  EXPECT_EQ(read.number("eps", 0), 0.5);
  EXPECT_EQ(read.text("name", ""), "a \"NaN\" \\");
  for (const char* key : {"low", "high", "none"}) {
    EXPECT_THAT(error_of(ErrorCode::kInput, [&] { read.number(key, 0); }), HasSubstr(key));
  }
}

TEST_F(ConfigTest, AMissingKeyOrNullGivesTheFallback) {
  for (const Config& none : {config("{}"), config(R"({"key":null})")}) {
    EXPECT_FALSE(none.has("key"));
    EXPECT_TRUE(none.boolean("key", true));
    EXPECT_EQ(none.number("key", 0.5), 0.5);
    EXPECT_EQ(none.text("key", "fallback"), "fallback");
    EXPECT_EQ(none.integer("key", -7), -7);  // even outside the range
    EXPECT_THAT(none.integers("key", {3}), ElementsAre(3));
    EXPECT_THAT(none.numbers("key", {0.5}), ElementsAre(0.5));
    EXPECT_THAT(none.booleans("key", {true}), ElementsAre(true));
  }
  EXPECT_TRUE(config(R"({"key":0})").has("key"));
}

TEST_F(ConfigTest, RefusesValuesOfAnotherType) {
  expect_refused({"0", "\"true\"", "[]"}, [](const Config& c) { c.boolean("key", false); });
  expect_refused({"\"1\"", "true", "[1]"}, [](const Config& c) { c.number("key", 0); });
  expect_refused({"1", "true", "{}"}, [](const Config& c) { c.text("key", ""); });
  expect_refused({"1.0", "\"1\"", "true", "[1]", "1e3"}, [](const Config& c) { c.integer("key", 1); });
  expect_refused(
      {"1", "[1.5]", "[\"1\"]", "[true]", "[null]", "[[1]]", "[-1]", "[16777217]", "[18446744073709551615]"},
      [](const Config& c) { c.integers("key", {}); });
  expect_refused({"1", "[\"1\"]", "[null]"}, [](const Config& c) { c.numbers("key", {}); });
  expect_refused({"true", "[1]", "[null]"}, [](const Config& c) { c.booleans("key", {}); });
}

TEST_F(ConfigTest, RefusesIntegersOutOfRange) {
  expect_refused({"0", "-1", "16777217", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
                  "18446744073709551615", "18446744073709551616"},
                 [](const Config& c) { c.integer("key", 1); });
  EXPECT_EQ(config(R"({"key":16777216})").integer("key", 1), 16777216);
  EXPECT_EQ(config(R"({"key":-3})").integer("key", 1, -3, 3), -3);
  expect_refused({"4", "-4"}, [](const Config& c) { c.integer("key", 1, -3, 3); });
  EXPECT_THAT(error_of(ErrorCode::kInput, [] { config(R"({"key":99})").integer("key", 1, 1, 9); }),
              AllOf(HasSubstr("got 99"), HasSubstr("expected an integer from 1 to 9")));
}

TEST_F(ConfigTest, RefusesFilesThatHoldNoObject) {
  for (const std::string text :
       {"", "x", "[]", "[1,2]", "7", "null", "{", "{} {}", "{\"a\":1,}", "{\"a\":1e400}", "{\"\xFF\":1}"}) {
    const auto file = write("config.json", text);
    EXPECT_THAT(error_of(ErrorCode::kInput, [&] { Config::read(file); }),
                AllOf(HasSubstr("config.json"), HasSubstr("a JSON object")))
        << text;
  }
  EXPECT_THAT(error_of(ErrorCode::kInput, [&] { Config::read(path("none")); }), HasSubstr("no such file"));
  EXPECT_THAT(error_of(ErrorCode::kInput, [&] { Config::read(path("")); }), HasSubstr("a folder"));
  std::filesystem::resize_file(path("config.json"), (16 << 20) + 1);
  EXPECT_THAT(error_of(ErrorCode::kInput, [&] { Config::read(path("config.json")); }), HasSubstr("at most"));
}

TEST_F(ConfigTest, RefusesFilesThatAreTooDeep) {
  // Copying and showing such a value recurse: without a limit the stack overflows.
  const std::string lists = std::string(1 << 20, '[') + std::string(1 << 20, ']');
  for (const std::string& text : {lists, R"({"a":)" + lists + "}"}) {
    const auto file = write("config.json", text);
    EXPECT_THAT(error_of(ErrorCode::kInput, [&] { Config::read(file); }), HasSubstr("deep"));
  }
  EXPECT_NO_THROW(Config::read(write("config.json", R"({"a":{"b":[[[{}]]]}})")));
}

TEST_F(ConfigTest, AnErrorIsShortWhateverTheFileSays) {
  const Config long_text = config(R"({"key":")" + std::string(1 << 20, 'x') + "\"}");
  EXPECT_LT(error_of(ErrorCode::kInput, [&] { long_text.integer("key", 1); }).size(), 200u);
}

}  // namespace
}  // namespace t2v
