#include "engine/pipelines/prompt_embeds_cache.h"

#include <chrono>
#include <fstream>

#include <gtest/gtest.h>

#include "files/checkpoints/checkpoint.h"
#include "unit/core/temporary_folder.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

const Component& encoder() {
  static const Checkpoint checkpoint = Checkpoint::open({.model = T2V_FIXTURES "/tiny-wan"});
  return checkpoint.get("text_encoder");
}

using PromptEmbedsCacheTest = TemporaryFolder;

TEST_F(PromptEmbedsCacheTest, GivesBackWhatWasStored) {
  const PromptEmbedsCache cache(path("a/b"), encoder(), {});
  const Tensor rows = seeded_randn({1, 3, 8}, 1);
  EXPECT_FALSE(cache.find({5, 6, 1}));
  cache.store({5, 6, 1}, rows);
  ASSERT_TRUE(cache.find({5, 6, 1}));
  EXPECT_TRUE(cache.find({5, 6, 1})->equal(rows));
  EXPECT_FALSE(cache.find({5, 6}));
  EXPECT_FALSE(cache.find({56, 1}));
  cache.store({5, 61}, at::ones({1, 2, 8}));
  EXPECT_FALSE(cache.find({56, 1}));  // of as many numbers, and the same digits
}

TEST_F(PromptEmbedsCacheTest, TellsEncodersAndPlacementsApart) {
  PromptEmbedsCache(path(""), encoder(), {}).store({1}, at::ones({1, 1, 8}));
  EXPECT_TRUE(PromptEmbedsCache(path(""), encoder(), {}).find({1}));
  EXPECT_FALSE(PromptEmbedsCache(path(""), encoder(), {.dtype = at::kBFloat16}).find({1}));
  const Checkpoint checkpoint = Checkpoint::open({.model = T2V_FIXTURES "/tiny-wan"});
  EXPECT_FALSE(PromptEmbedsCache(path(""), checkpoint.get("vae"), {}).find({1}));
}

TEST_F(PromptEmbedsCacheTest, AnEncoderThatWasReplacedIsAnother) {
  fs::copy_file(T2V_FIXTURES "/checkpoints/transformer_original.safetensors", path("encoder.safetensors"));
  const Component copy = open_tensors(path("encoder.safetensors"));
  PromptEmbedsCache(path("cache"), copy, {}).store({1}, at::ones({1, 1, 8}));
  EXPECT_TRUE(PromptEmbedsCache(path("cache"), copy, {}).find({1}));
  fs::last_write_time(path("encoder.safetensors"), fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_FALSE(PromptEmbedsCache(path("cache"), copy, {}).find({1}));
}

TEST_F(PromptEmbedsCacheTest, PassesOverAFileThatIsOfOtherText) {
  const PromptEmbedsCache cache(path(""), encoder(), {});
  cache.store({1}, at::ones({1, 1, 8}));
  const fs::path first = fs::directory_iterator(path(""))->path();
  fs::rename(first, path("kept"));
  cache.store({2}, at::ones({1, 1, 8}));
  for (const auto& entry : fs::directory_iterator(path(""))) {
    if (entry.path() != path("kept")) fs::rename(entry.path(), first);
  }
  EXPECT_FALSE(cache.find({1}));  // as when two names have one hash
}

TEST_F(PromptEmbedsCacheTest, PassesOverRowsThatCannotBeThoseOfTheText) {
  const PromptEmbedsCache cache(path(""), encoder(), {});
  cache.store({1}, at::ones({1, 3, 8}));
  EXPECT_FALSE(cache.find({1}));
  cache.store({2}, at::ones({1, 1, 8}, at::kInt));
  EXPECT_FALSE(cache.find({2}));
}

TEST_F(PromptEmbedsCacheTest, PassesOverFilesThatAreDamaged) {
  const PromptEmbedsCache cache(path(""), encoder(), {});
  cache.store({1}, at::ones({1, 1, 8}));
  for (const auto& entry : fs::directory_iterator(path(""))) {
    std::ofstream(entry.path()) << "not tensors";
  }
  EXPECT_FALSE(cache.find({1}));
  cache.store({1}, at::ones({1, 1, 8}));
  EXPECT_TRUE(cache.find({1}));
}

TEST_F(PromptEmbedsCacheTest, RefusesAFolderThatCannotBe) {
  write("file", "x");
  EXPECT_THROW(PromptEmbedsCache(path("file"), encoder(), {}), Error);
}

}  // namespace
}  // namespace t2v
