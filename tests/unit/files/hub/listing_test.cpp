#include "files/hub/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "t2v/error.h"

namespace t2v {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kCommit(40, 'a');

std::vector<std::string> chosen(const std::vector<std::string>& paths,
                                const std::vector<std::string>& patterns = {},
                                const std::string& variant = "") {
  Listing listing{.commit = kCommit, .files = {}};
  for (const std::string& path : paths) listing.files.push_back({.path = path, .size = 1, .hash = kCommit});
  std::vector<std::string> names;
  for (const RemoteFile& file : choose_files(listing, patterns, variant, "a/b")) names.push_back(file.path);
  return names;
}

TEST(Listing, SmallAndLargeFiles) {
  const std::string sha256(64, 'b');
  const Listing listing = parse_listing(R"({"sha": ")" + kCommit + R"(", "extra": [], "siblings": [
        {"rfilename": "a.json", "size": 3, "blobId": ")" +
                                            kCommit + R"("},
        {"rfilename": "b/c.safetensors", "size": 134, "blobId": ")" +
                                            kCommit + R"(", "lfs": {"sha256": ")" + sha256 +
                                            R"(", "size": 5000000000, "pointerSize": 134}}]})",
                                        "a/b");
  EXPECT_EQ(listing.commit, kCommit);
  ASSERT_EQ(listing.files.size(), 2);
  EXPECT_EQ(listing.files[0].hash, kCommit);
  EXPECT_EQ(listing.files[0].size, 3);
  EXPECT_EQ(listing.files[1].path, "b/c.safetensors");
  EXPECT_EQ(listing.files[1].hash, sha256);
  EXPECT_EQ(listing.files[1].size, 5000000000);
}

TEST(Listing, SurvivesAnAnswerThatIsTooDeep) {
  const size_t depth = 1'000'000;
  const std::string deep = std::string(depth, '[') + std::string(depth, ']');
  try {
    parse_listing(R"({"sha": ")" + kCommit + R"(", "siblings": [{"rfilename": "a.json", "blobId": ")" +
                      kCommit + R"(", "size": )" + deep + "}]}",
                  "a/b");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the size array"));
  }
}

TEST(Listing, SaysLongNamesInShort) {
  const std::string name(4096, 'n'), hash(4096, 'h');
  const auto entry = [](const std::string& file, const std::string& size, const std::string& blob) {
    return R"({"rfilename": ")" + file + R"(", "size": )" + size + R"(, "blobId": ")" + blob + R"("})";
  };
  const std::string fits = std::string(200, 'n') + "/" + std::string(200, 'n');
  for (const std::string& entries :
       {entry(name, "3", kCommit), entry(fits, "-1", kCommit), entry("a", "3", hash),
        entry(fits, "3", kCommit) + "," + entry(fits, "3", kCommit)}) {
    try {
      parse_listing(R"({"sha": ")" + kCommit + R"(", "siblings": [)" + entries + "]}", "a/b");
      ADD_FAILURE() << entries.substr(0, 200);
    } catch (const Error& error) {
      EXPECT_LT(std::string(error.what()).size(), 400u);
    }
  }
}

TEST(ChooseFiles, ADiffusersFolder) {
  EXPECT_THAT(
      chosen({"README.md", "a.png", "model_index.json", "text_encoder/model-00001-of-00002.safetensors",
              "text_encoder/model.safetensors.index.json", "tokenizer/spiece.model", "vae/x.bin", "vae/x.pth",
              "vae/config.json"}),
      ElementsAre("model_index.json", "text_encoder/model-00001-of-00002.safetensors",
                  "text_encoder/model.safetensors.index.json", "tokenizer/spiece.model", "vae/config.json"));
}

TEST(ChooseFiles, OneVariantInEachFolder) {
  const std::vector<std::string> files = {"model_index.json",
                                          "a/m.safetensors",
                                          "a/m.fp16.safetensors",
                                          "a/m.bf16-00001-of-00002.safetensors",
                                          "a/m.safetensors.index.bf16.json",
                                          "b/m.safetensors",
                                          "c/m.fp16.safetensors"};
  EXPECT_THAT(chosen(files),
              ElementsAre("model_index.json", "a/m.safetensors", "b/m.safetensors", "c/m.fp16.safetensors"));
  EXPECT_THAT(chosen(files, {}, "fp16"), ElementsAre("model_index.json", "a/m.fp16.safetensors",
                                                     "b/m.safetensors", "c/m.fp16.safetensors"));
  EXPECT_THAT(chosen(files, {}, "bf16"),
              ElementsAre("model_index.json", "a/m.bf16-00001-of-00002.safetensors",
                          "a/m.safetensors.index.bf16.json", "b/m.safetensors", "c/m.fp16.safetensors"));
}

TEST(ChooseFiles, AnOriginalRepository) {
  EXPECT_THAT(chosen({"config.json", "Wan2.1_VAE.pth", "examples/i2v.JPG", "google/umt5-xxl/spiece.model"}),
              ElementsAre("config.json", "Wan2.1_VAE.pth", "google/umt5-xxl/spiece.model"));
  EXPECT_THAT(chosen({"high_noise_model/config.json", "low_noise_model/m.safetensors"}),
              ElementsAre("high_noise_model/config.json", "low_noise_model/m.safetensors"));
}

TEST(ChooseFiles, Patterns) {
  const std::vector<std::string> files = {"a/x-Q4_K.gguf", "b/x-Q8_0.gguf", "LICENSE"};
  EXPECT_THAT(chosen(files, {"*Q4_K*"}), ElementsAre("a/x-Q4_K.gguf"));
  EXPECT_THAT(chosen(files, {"b/x-Q8_0.gguf", "L*"}), ElementsAre("b/x-Q8_0.gguf", "LICENSE"));
  EXPECT_THROW(chosen(files), Error);
  EXPECT_THROW(chosen(files, {"c/*"}), Error);
}

}  // namespace
}  // namespace t2v
