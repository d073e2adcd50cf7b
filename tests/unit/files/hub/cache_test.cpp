#include "files/hub/cache.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace t2v {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

const std::string kCommit(40, 'c');
const std::string kHash(64, 'd');
const Repository kRepository{.id = "org/some-repo", .revision = "main"};

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

class HubCacheTest : public ::testing::Test {
 protected:
  HubCacheTest() { fs::remove_all(cache_.root()); }
  const HubCache cache_{fs::path(::testing::TempDir()) / "hub_cache"};
};

TEST_F(HubCacheTest, Names) {
  EXPECT_EQ(cache_.folder("org/some-repo").filename(), "models--org--some-repo");
  EXPECT_EQ(cache_.blob("org/r", kHash), cache_.root() / "models--org--r/blobs" / kHash);
  EXPECT_EQ(cache_.lock_file("org/r", kHash), cache_.root() / ".locks/models--org--r" / (kHash + ".lock"));
}

TEST_F(HubCacheTest, ALinkIsRelative) {
  write(cache_.blob(kRepository.id, kHash), "content");
  for (int again = 0; again < 2; ++again) {
    cache_.link(kRepository.id, kCommit, "vae/config.json", kHash);
    const fs::path file = cache_.snapshot(kRepository.id, kCommit) / "vae/config.json";
    EXPECT_EQ(fs::read_symlink(file), fs::path("../../../blobs") / kHash);
    EXPECT_EQ(fs::file_size(file), 7);
  }
  const fs::path folder = cache_.snapshot(kRepository.id, kCommit) / "vae";
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1);
}

TEST_F(HubCacheTest, References) {
  EXPECT_FALSE(cache_.find(kRepository));
  cache_.set_reference(kRepository, kCommit);
  EXPECT_FALSE(cache_.find(kRepository)) << "no snapshot yet";
  fs::create_directories(cache_.snapshot(kRepository.id, kCommit));
  EXPECT_EQ(cache_.find(kRepository), cache_.snapshot(kRepository.id, kCommit));
  EXPECT_EQ(cache_.find({kRepository.id, kCommit}), cache_.snapshot(kRepository.id, kCommit));
  EXPECT_FALSE(cache_.find({kRepository.id, "v1"}));
  for (const char* text : {"", "../../../etc", "main", "cccc"}) {
    write(cache_.folder(kRepository.id) / "refs/main", text);
    EXPECT_FALSE(cache_.find(kRepository)) << text;
  }
  write(cache_.folder(kRepository.id) / "refs/main", kCommit + "\n");
  EXPECT_TRUE(cache_.find(kRepository));
}

TEST_F(HubCacheTest, Repositories) {
  EXPECT_TRUE(cache_.repositories().empty());
  for (const char* name :
       {"models--b--c", "models--a--b-c", "datasets--a--b", "models--x", ".locks", "models--.--y"}) {
    fs::create_directories(cache_.root() / name);
  }
  EXPECT_THAT(cache_.repositories(), ElementsAre("a/b-c", "b/c"));
}

TEST_F(HubCacheTest, MissingFiles) {
  const fs::path snapshot = cache_.snapshot(kRepository.id, kCommit);
  write(snapshot / "a/m.safetensors.index.json",
        R"({"weight_map": {"x": "1.safetensors", "y": "2.safetensors", "z": "2.safetensors"}})");
  write(snapshot / "a/1.safetensors", "12345");
  fs::create_symlink("nowhere", snapshot / "b.json");
  EXPECT_THAT(missing_files(snapshot), UnorderedElementsAre("2.safetensors", "b.json"));
  write(snapshot / "c.safetensors.index.json", "{");
  EXPECT_THAT(missing_files(snapshot),
              UnorderedElementsAre("2.safetensors", "b.json", "c.safetensors.index.json"));
  EXPECT_EQ(missing_files("nowhere"), std::vector<std::string>{});
}

TEST_F(HubCacheTest, MissingComponents) {
  const fs::path snapshot = cache_.snapshot(kRepository.id, kCommit);
  write(snapshot / "model_index.json",
        R"({"_class_name": "WanPipeline", "boundary_ratio": 0.9, "vae": ["a", "b"],
    "transformer": ["a", "b"], "transformer_2": [null, null], "scheduler": ["a", "b"], "tokenizer": ["a", "b"]})");
  write(snapshot / "vae/config.json", "{}");
  write(snapshot / "transformer/config.json", "{}");
  write(snapshot / "transformer/x.safetensors", "");
  write(snapshot / "scheduler/scheduler_config.json", "{}");
  EXPECT_THAT(missing_files(snapshot), UnorderedElementsAre("vae", "tokenizer"));
}

}  // namespace
}  // namespace t2v
