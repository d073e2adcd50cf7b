#include "api/model_digest.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/file.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kLarge = 64 << 20;
// head -c 67108864 /dev/zero | sha256sum
constexpr const char* kOfZeros = "3b6a07d0d404fab4e23b6d34bc6696a6a312dd92821332385e5af7c01c421351";

class KeptHashesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* before = std::getenv("XDG_CACHE_HOME");
    if (before != nullptr) before_ = before;
    fs::create_directories(folder_);
    ::setenv("XDG_CACHE_HOME", folder_.c_str(), 1);
  }
  void TearDown() override {
    before_.empty() ? ::unsetenv("XDG_CACHE_HOME") : ::setenv("XDG_CACHE_HOME", before_.c_str(), 1);
    fs::remove_all(folder_);
  }

  /// A file of zeros, which takes no room.
  fs::path zeros(const std::string& name, int64_t size) const {
    std::ofstream(folder_ / name).close();
    fs::resize_file(folder_ / name, static_cast<uintmax_t>(size));
    return folder_ / name;
  }
  nlohmann::json kept() const { return nlohmann::json::parse(read_file(kept_, 1 << 20)); }
  void keep(const std::string& text) const {
    fs::create_directories(kept_.parent_path());
    std::ofstream(kept_) << text;
  }

  std::string before_;
  const std::atomic<bool> given_up_ = false;
  const fs::path folder_ = ::testing::TempDir() + "t2v-kept-hashes-" + std::to_string(::getpid());
  const fs::path kept_ = folder_ / "t2v" / "sha256.json";
};

TEST_F(KeptHashesTest, LargeFilesAreReadOnce) {
  const fs::path first = zeros("first", kLarge), second = zeros("second", kLarge);
  EXPECT_EQ(sha256_of_file(first, given_up_), kOfZeros);
  EXPECT_EQ(kept(), nlohmann::json({{file_identity(first), kOfZeros}}));
  const std::string other(64, 'f');
  keep(nlohmann::json({{file_identity(second), other}}).dump());
  EXPECT_EQ(sha256_of_file(second, given_up_), other);
}

TEST_F(KeptHashesTest, SmallOnesAreNot) {
  sha256_of_file(zeros("small", 1000), given_up_);
  EXPECT_FALSE(fs::exists(kept_));
}

TEST_F(KeptHashesTest, WhatIsDamagedIsNotUsed) {
  int number = 0;
  for (const std::string text : {"", "[]", "{", R"({"IDENTITY": 3})", R"({"IDENTITY": "../x"})"}) {
    const fs::path file = zeros("file-" + std::to_string(number++), kLarge);
    std::string written = text;
    if (const size_t at = written.find("IDENTITY"); at != std::string::npos) {
      written.replace(at, 8, file_identity(file));
    }
    keep(written);
    EXPECT_EQ(sha256_of_file(file, given_up_), kOfZeros) << text;
    EXPECT_EQ(kept().value(file_identity(file), ""), kOfZeros) << text;
  }
}

TEST_F(KeptHashesTest, WithoutAFolderNothingIsKept) {
  std::ofstream(folder_ / "t2v") << "no folder";
  EXPECT_EQ(sha256_of_file(zeros("file", kLarge), given_up_), kOfZeros);
}

}  // namespace
}  // namespace t2v
