// Damaged tokenizer files either load, and then encode within their vocabulary, or throw t2v::Error. Run with
// T2V_SANITIZE.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "t2v/error.h"
#include "text/tokenizer.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kMutations = 500;

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::string operator()(std::string bytes) {
    const size_t count = 1 + below(6);
    for (size_t i = 0; i < count && !bytes.empty(); ++i) mutate(&bytes);
    return bytes;
  }

 private:
  size_t below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random_); }

  void mutate(std::string* bytes) {
    const size_t at = below(bytes->size());
    const size_t length = std::min(bytes->size() - at, 1 + below(20));
    switch (below(6)) {
      case 0:
        (*bytes)[at] = static_cast<char>(below(256));
        break;
      case 1:
        (*bytes)[at] = static_cast<char>((*bytes)[at] ^ (1 << below(8)));
        break;
      case 2:
        bytes->erase(at, length);
        break;
      case 3:
        bytes->insert(below(bytes->size()), bytes->substr(at, length));
        break;
      case 4:
        bytes->replace(at, length, bytes->substr(below(bytes->size()), length));
        break;
      default:
        // JSON's own characters reach deeper than random ones.
        (*bytes)[at] = "{}[],:\"0123456789-e.tfn "[below(24)];
    }
  }

  std::mt19937 random_;
};

void expect_loads_or_throws(const std::string& name) {
  std::ifstream stream(std::string(T2V_FIXTURES "/text/umt5/") + name, std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(stream), {});
  ASSERT_FALSE(whole.empty());
  const fs::path folder = fs::path(::testing::TempDir()) / ("t2v_fuzz_" + name);
  fs::create_directories(folder);
  int loaded = 0;
  for (unsigned seed = 0; seed < kMutations; ++seed) {
    std::ofstream(folder / name, std::ios::binary) << Mutator(seed)(whole);
    try {
      const auto tokenizer = Tokenizer::open_folder(folder);
      ++loaded;
      for (const char* text : {"", "A red fox  walks", "一只白色的猫😀", "</s> <extra_id_3> \x01 龘e\u0301"}) {
        for (const int64_t id : tokenizer->encode(text, 64).ids) {
          ASSERT_GE(id, 0) << seed;
          ASSERT_LT(id, tokenizer->vocab_size()) << seed;
        }
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput) << seed << ": " << error.what();
    }
  }
  fs::remove_all(folder);
  EXPECT_GT(loaded, 0);
  EXPECT_LT(loaded, static_cast<int>(kMutations));
}

TEST(TokenizerFuzz, TokenizerJson) { expect_loads_or_throws("tokenizer.json"); }
TEST(TokenizerFuzz, SpieceModel) { expect_loads_or_throws("spiece.model"); }

}  // namespace
}  // namespace t2v
