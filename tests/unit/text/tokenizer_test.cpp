#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "t2v/error.h"

namespace t2v {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

Json read_json(const std::string& name) {
  std::ifstream stream(std::string(T2V_FIXTURES "/text/") + name);
  return Json::parse(stream);
}

const Json& golden() {
  static const Json tokens = read_json("tokens.json");
  return tokens;
}

/// A folder below the test's temporary one, empty at first and removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = fs::path(::testing::TempDir()) / ("t2v_tokenizer_" + std::string(test->name()));
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
  }

 private:
  fs::path path_;
};

std::string read_bytes(const std::string& name) {
  std::ifstream stream(std::string(T2V_FIXTURES "/text/umt5/") + name, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

/// The fixture's tokenizer.json with a JSON merge patch.
std::unique_ptr<Tokenizer> open_patched(const Json& patch = Json::object()) {
  const TemporaryFolder folder;
  Json file = read_json("umt5/tokenizer.json");
  file.merge_patch(patch);
  folder.write("tokenizer.json", file.dump());
  return Tokenizer::open_folder(folder.path());
}

std::unique_ptr<Tokenizer> open_spiece(const std::string& bytes) {
  const TemporaryFolder folder;
  folder.write("spiece.model", bytes);
  return Tokenizer::open_folder(folder.path());
}

/// Every text of the golden file, at every length that it has.
void expect_golden(const Tokenizer& tokenizer, const Json& ids_by_length) {
  const auto texts = golden()["texts"].get<std::vector<std::string>>();
  ASSERT_GE(texts.size(), 60u);
  for (const auto& [length, rows] : ids_by_length.items()) {
    const int64_t max_length = std::stoll(length);
    for (size_t i = 0; i < texts.size(); ++i) {
      const TokenIds tokens = tokenizer.encode(texts[i], max_length);
      auto expected = rows[i].get<std::vector<int64_t>>();
      EXPECT_EQ(tokens.length, static_cast<int64_t>(expected.size())) << i << ": " << texts[i];
      expected.resize(static_cast<size_t>(max_length), 0);
      EXPECT_EQ(tokens.ids, expected) << i << ": " << texts[i];
    }
  }
}

TEST(TokenizerJson, EqualsTheTokenizersPackage) {
  for (const Json& variant : golden()["variants"]) {
    SCOPED_TRACE(variant["name"]);
    expect_golden(*open_patched(variant["patch"]), variant["ids"]);
  }
}

TEST(TokenizerJson, ReadsFieldsOfOlderFiles) {
  // The package of today refuses a file with add_prefix_space false and no prepend_scheme; the one that wrote
  // it took it.
  const Json metaspace = {{"add_prefix_space", false}, {"prepend_scheme", nullptr}};
  const auto old = open_patched({{"pre_tokenizer", metaspace}});
  const auto today = open_patched({{"pre_tokenizer", {{"prepend_scheme", "never"}}}});
  EXPECT_EQ(old->encode("a red fox", 16).ids, today->encode("a red fox", 16).ids);
  EXPECT_NE(old->encode("a red fox", 16).ids, open_patched()->encode("a red fox", 16).ids);
}

TEST(TokenizerJson, TellsItsVocabularySize) {
  EXPECT_EQ(open_patched()->vocab_size(), golden()["vocab_size"].get<int64_t>());
}

TEST(TokenizerJson, QuotesWhatTruncationDrops) {
  const auto tokenizer = Tokenizer::open_folder(T2V_FIXTURES "/text/umt5");
  EXPECT_EQ(tokenizer->encode("the moon?", 16).dropped, "");
  EXPECT_EQ(tokenizer->encode("", 1).dropped, "");
  EXPECT_EQ(tokenizer->encode("the moon 😀</s> end", 1).dropped, "the moon 😀</s> end");
  const TokenIds tokens = tokenizer->encode("the moon the moon", 3);
  EXPECT_EQ(tokens.length, 3);
  EXPECT_EQ(tokens.ids.back(), 1);
  const TokenIds all = tokenizer->encode("the moon the moon", 16);
  EXPECT_GT(all.length, 3);
  EXPECT_THAT("the moon the moon", ::testing::EndsWith(tokens.dropped));
  EXPECT_LT(tokens.dropped.size(), std::string("the moon the moon").size());
}

TEST(TokenizerJson, DroppedTextStartsAtACharacter) {
  const auto tokenizer = open_patched({{"model", {{"byte_fallback", true}}}});
  // "▁" and four bytes: cut after the second byte, the rest of that character is not a text.
  EXPECT_EQ(tokenizer->encode("😀 x", 4).dropped, "x");
  EXPECT_EQ(tokenizer->encode("😀 x", 2).dropped, "😀 x");
}

TEST(TokenizerJson, NeedsRoomForSpecialTokens) {
  EXPECT_THROW(open_patched()->encode("a", 0), Error);
  EXPECT_THROW(open_patched()->encode("a", -1), Error);
}

TEST(TokenizerJson, RefusesWhatItDoesNotSupport) {
  struct Case {
    const char* patch;
    const char* named;
  };
  const Case cases[] = {
      {R"({"model": null})", "'model'"},
      {R"({"model": {"type": "BPE"}})", "'type'"},
      {R"({"model": {"type": 3}})", "'type'"},
      {R"({"model": {"unk_id": null}})", "'unk_id'"},
      {R"({"model": {"unk_id": 100000}})", "'unk_id'"},
      {R"({"model": {"unk_id": -1}})", "'unk_id'"},
      {R"({"model": {"byte_fallback": 1}})", "'byte_fallback'"},
      {R"({"model": {"nbest": 3}})", "'nbest'"},
      {R"({"model": {"vocab": null}})", "'vocab'"},
      {R"({"model": {"vocab": []}})", "'vocab'"},
      {R"({"model": {"vocab": {"a": 1}}})", "'vocab'"},
      {R"({"model": {"vocab": [["a", 1], ["b"]]}})", "'vocab'"},
      {R"({"model": {"vocab": [["a", "1"]]}})", "'vocab'"},
      {R"({"model": {"vocab": [[["a"], 1]]}})", "'vocab'"},
      {R"({"model": {"vocab": [["a", 0], ["b", 0], ["c", 0], ["d", 0]]}})", "added_tokens"},
      {R"({"added_tokens": [], "model": {"vocab": [["a", 0], ["b", 0], ["c", 0], ["d", 0]]}})", "<pad>"},
      {R"({"normalizer": {"type": "NFKC"}})", "'type'"},
      {R"({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}})", "'type'"},
      {R"({"normalizer": {"normalizers": [{"type": "Lowercase"}]}})", "normalizers[0]"},
      {R"({"normalizer": {"normalizers": [{"type": "Replace", "pattern": {"Regex": "a+"}, "content": ""}]}})",
       "'pattern'"},
      {R"({"normalizer": {"normalizers": [{"type": "Replace", "pattern": {"String": ""}, "content": ""}]}})",
       "'pattern'"},
      {R"({"normalizer": {"normalizers": [3]}})", "'normalizers'"},
      {R"({"normalizer": []})", "'normalizer'"},
      {R"({"pre_tokenizer": {"type": "ByteLevel"}})", "'type'"},
      {R"({"pre_tokenizer": {"replacement": "ab"}})", "'replacement'"},
      {R"({"pre_tokenizer": {"replacement": ""}})", "'replacement'"},
      {R"({"pre_tokenizer": {"prepend_scheme": "last"}})", "'prepend_scheme'"},
      {R"({"pre_tokenizer": {"add_prefix_space": false}})", "'prepend_scheme'"},
      {R"({"pre_tokenizer": {"behavior": "Isolated"}})", "'behavior'"},
      {R"({"post_processor": {"type": "BertProcessing"}})", "'type'"},
      {R"({"post_processor": {"single": []}})", "'single'"},
      {R"({"post_processor": {"single": [{"Sequence": {"id": "B", "type_id": 0}}]}})", "'single'"},
      {R"({"post_processor": {"special_tokens": {"</s>": {"ids": [99999]}}}})", "'post_processor'"},
      {R"({"post_processor": {"special_tokens": {"</s>": {"ids": [-1]}}}})", "'ids'"},
      {R"({"post_processor": {"special_tokens": {"</s>": null}}})", "'</s>'"},
      {R"({"added_tokens": [{"id": 7, "content": "</s>"}]})", "'id'"},
      {R"({"added_tokens": [{"id": 100000, "content": "new"}]})", "'id'"},
      {R"({"added_tokens": [{"id": 0, "content": "<pad>", "future": true}]})", "'future'"},
      {R"({"added_tokens": {}})", "'added_tokens'"},
      {R"({"future": {"a": 1}})", "'future'"},
  };
  for (const auto& [patch, named] : cases) {
    SCOPED_TRACE(patch);
    try {
      open_patched(Json::parse(patch));
      ADD_FAILURE() << "was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
      EXPECT_THAT(error.what(), ::testing::HasSubstr(named));
    }
  }
}

TEST(TokenizerJson, RefusesDamagedFiles) {
  const std::string whole = read_bytes("tokenizer.json");
  const std::string bad_utf8 = R"({"model": {"vocab": [[")"
                               "\xFF"
                               R"(", 1]]}})";
  const std::string deep = "{\"a\":" + std::string(200000, '[') + std::string(200000, ']') + "}";
  for (const std::string& bytes :
       {std::string(), whole.substr(0, 7), whole.substr(0, whole.size() / 2),
        whole.substr(0, whole.size() - 2), std::string("junk"), std::string("[]"), std::string("null"),
        whole + "x", bad_utf8, std::string(100000, '['), deep}) {
    const TemporaryFolder folder;
    folder.write("tokenizer.json", bytes);
    EXPECT_THROW(Tokenizer::open_folder(folder.path()), Error) << bytes.substr(0, 40);
  }
}

TEST(SpieceModel, EqualsSentencePiece) {
  expect_golden(*open_spiece(read_bytes("spiece.model")), golden()["spiece"]);
}

TEST(SpieceModel, HasRoomForExtraIds) {
  const auto tokenizer = open_spiece(read_bytes("spiece.model"));
  const int64_t pieces = golden()["pieces"];
  EXPECT_EQ(tokenizer->vocab_size(), pieces + 300);
  EXPECT_EQ(tokenizer->encode("<extra_id_0>", 2).ids[0], pieces + 299);
  EXPECT_EQ(tokenizer->encode("<extra_id_299>", 2).ids[0], pieces);
}

TEST(SpieceModel, RefusesDamagedFiles) {
  const std::string whole = read_bytes("spiece.model");
  for (const std::string& bytes :
       {std::string(), std::string("junk"), std::string(1000, '\0'), std::string(1000, '\xFF'),
        whole.substr(0, 7), whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 1),
        whole + "\x0A"}) {
    EXPECT_THROW(open_spiece(bytes), Error) << bytes.substr(0, 40);
  }
}

TEST(SpieceModel, RefusesACharacterMap) {
  // A normalizer_spec, appended: of a message that comes twice the fields are merged.
  EXPECT_THROW(open_spiece(read_bytes("spiece.model") + std::string("\x1A\x05\x12\x03", 4) + "abc"), Error);
}

TEST(SpieceModel, QuotesWhatTruncationDrops) {
  const auto tokenizer = open_spiece(read_bytes("spiece.model"));
  EXPECT_EQ(tokenizer->encode("the moon?", 16).dropped, "");
  EXPECT_EQ(tokenizer->encode("the moon 😀</s> end", 1).dropped, "the moon 😀</s> end");
}

TEST(TokenizerFolder, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_THROW(Tokenizer::open_folder(folder.path()), Error);
  EXPECT_THROW(Tokenizer::open_folder(folder.path() / "no such folder"), Error);
  fs::create_directory(folder.path() / "spiece.model");
  EXPECT_THROW(Tokenizer::open_folder(folder.path()), Error);
  fs::create_directory(folder.path() / "tokenizer.json");
  EXPECT_THROW(Tokenizer::open_folder(folder.path()), Error);
}

TEST(TokenizerFolder, ADanglingLinkIsNotAReasonToTakeTheOtherFile) {
  const TemporaryFolder folder;
  folder.write("spiece.model", read_bytes("spiece.model"));
  fs::create_symlink("nowhere", folder.path() / "tokenizer.json");
  EXPECT_THROW(Tokenizer::open_folder(folder.path()), Error);
}

TEST(TokenizerFile, IsToldByItsContent) {
  const auto ids = [](const Tokenizer& tokenizer) { return tokenizer.encode("the moon", 16).ids; };
  const std::vector<int64_t> expected = ids(*open_spiece(read_bytes("spiece.model")));
  EXPECT_EQ(ids(*Tokenizer::open_spiece_model(read_bytes("spiece.model"), "a checkpoint")), expected);
  const TemporaryFolder folder;
  folder.write("a", read_bytes("spiece.model"));
  EXPECT_EQ(ids(*Tokenizer::open_file(folder.path() / "a")), expected);
  folder.write("b", read_bytes("tokenizer.json"));
  EXPECT_GT(Tokenizer::open_file(folder.path() / "b")->vocab_size(), 0);
  folder.write("c", "");
  EXPECT_THROW(Tokenizer::open_file(folder.path() / "c"), Error);
  EXPECT_THROW(Tokenizer::open_file(folder.path() / "d"), Error);
}

}  // namespace
}  // namespace t2v
