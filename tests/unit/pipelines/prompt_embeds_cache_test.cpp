#include "pipelines/prompt_embeds_cache.h"

#include <fstream>

#include <gtest/gtest.h>

#include "../core/temporary_folder.h"
#include "checkpoints/checkpoint.h"

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
  EXPECT_TRUE(cache.find({5, 6, 1})->equal(rows));
  EXPECT_FALSE(cache.find({5, 6}));
  EXPECT_FALSE(cache.find({56, 1}));
}

TEST_F(PromptEmbedsCacheTest, TellsEncodersAndPlacementsApart) {
  PromptEmbedsCache(path(""), encoder(), {}).store({1}, at::ones({1, 1, 8}));
  EXPECT_TRUE(PromptEmbedsCache(path(""), encoder(), {}).find({1}));
  EXPECT_FALSE(PromptEmbedsCache(path(""), encoder(), {.dtype = at::kBFloat16}).find({1}));
  const Checkpoint checkpoint = Checkpoint::open({.model = T2V_FIXTURES "/tiny-wan"});
  EXPECT_FALSE(PromptEmbedsCache(path(""), checkpoint.get("vae"), {}).find({1}));
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
