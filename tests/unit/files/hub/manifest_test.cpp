#include "files/hub/manifest.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

std::vector<KnownModel> read(const std::string& text) {
  const fs::path folder = fs::path(::testing::TempDir()) / "hub_manifest";
  fs::create_directories(folder);
  std::ofstream(folder / "models.json") << text;
  return read_manifests(folder);
}

TEST(Manifest, TheOneOfT2v) {
  const std::vector<KnownModel> known = read_manifests(fs::path(T2V_FIXTURES) / "../../models/manifests");
  std::set<std::string> names;
  for (const KnownModel& model : known) {
    EXPECT_TRUE(names.insert(model.name).second) << model.name;
    EXPECT_FALSE(model.about.empty()) << model.name;
  }
  for (const char* name :
       {"wan2.1-t2v-1.3b", "wan2.1-t2v-14b", "wan2.1-i2v-14b-480p", "wan2.1-i2v-14b-720p", "wan2.1-flf2v-14b",
        "wan2.1-vace-1.3b", "wan2.1-vace-14b", "wan2.2-t2v-a14b", "wan2.2-i2v-a14b", "wan2.2-ti2v-5b"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(Manifest, Names) {
  const std::vector<KnownModel> known = read(
      R"({"models": [{"name": "x", "repository": "a/b@v2", "gigabytes": 1.5, "files": ["c.safetensors"]}]})");
  ASSERT_EQ(known.size(), 1);
  EXPECT_EQ(known[0].repository.id, "a/b");
  EXPECT_EQ(known[0].repository.revision, "v2");
  EXPECT_EQ(known[0].bytes, 1500000000);
  EXPECT_EQ(find_known(known, "x")->files, std::vector<std::string>{"c.safetensors"});
  EXPECT_TRUE(find_known(known, "a/b")->files.empty());
  EXPECT_FALSE(find_known(known, "y"));
}

TEST(Manifest, Damaged) {
  for (const char* text : {"", "[]", "{}", R"({"models": {}})", R"({"models": [1]})", R"({"models": [{}]})",
                           R"({"models": [{"name": "x", "repository": "../b"}]})",
                           R"({"models": [{"name": "x/y", "repository": "a/b"}]})",
                           R"({"models": [{"name": "x", "repository": "a/b", "files": ["../c"]}]})",
                           R"({"models": [{"name": "x", "repository": "a/b", "files": [1]}]})"}) {
    EXPECT_THROW(read(text), Error) << text;
  }
}

}  // namespace
}  // namespace t2v
