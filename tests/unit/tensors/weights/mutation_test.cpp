// Random damage to well-formed files: each must load, every value readable, or be refused with an Error.

#include "core/file.h"
#include "fuzz/mutator.h"
#include "tensors/weights/read_tensor.h"
#include "tensors/weights/weights.h"
#include "unit/checkpoint_files.h"

namespace t2v {
namespace {

/// Opens with `open` and reads everything. True if it loaded; anything but an Error (kInput) ends the test.
template <typename Open>
bool loads(const Open& open) {
  try {
    open();
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_LT(std::string(error.what()).size(), 2000u);
    return false;
  }
}

class MutationTest : public WeightsFolder {};

TEST_F(MutationTest, ADamagedFileLoadsOrIsRefused) {
  constexpr int kRounds = 6000;
  const std::string original =
      read_file(std::filesystem::path(T2V_FIXTURES) / "weights/dtypes.safetensors", 1 << 20);
  const size_t header = 8 + static_cast<uint8_t>(original[0]) + 256 * static_cast<uint8_t>(original[1]);
  Mutator mutate(20240229);
  int loaded = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string bytes = original;
    if (round % 8 == 0) {
      bytes = mutate(bytes, "");
    } else if (round % 8 == 1) {
      bytes.resize(mutate.below(bytes.size()));
    } else {
      // A header that is damaged but has the right length gets further.
      const std::string json = mutate(original.substr(8, header - 8), "");
      bytes = length_bytes(json.size()) + json + original.substr(header);
    }
    const auto file = write("mutant.safetensors", bytes);
    loaded += loads([&] {
      for (const auto& [name, source] : open_tensors(file).tensors) read_tensor(source).to(at::kDouble).sum();
    });
  }
  // Both happen, so the damage is neither always fatal nor always missed.
  EXPECT_GT(loaded, kRounds / 100);
  EXPECT_LT(loaded, kRounds / 2);
}

TEST_F(MutationTest, ADamagedIndexLoadsOrIsRefused) {
  constexpr int kRounds = 2000;
  std::filesystem::copy(std::filesystem::path(T2V_FIXTURES) / "weights/sharded", path("folder"));
  const std::string original = read_file(path("folder/model.safetensors.index.json"), 1 << 20);
  Mutator mutate(7);
  int loaded = 0;
  for (int round = 0; round < kRounds; ++round) {
    write("folder/model.safetensors.index.json", mutate(original, ""));
    loaded += loads([&] { Weights::open_folder(path("folder"), "model", {}); });
  }
  EXPECT_GT(loaded, kRounds / 100);
  EXPECT_LT(loaded, kRounds * 3 / 4);
}

/// Opens and reads all of `bytes`; damage keeps the length in most rounds, which gets further in binary
/// formats.
class BinaryMutationTest : public MutationTest {
 protected:
  /// How many of `rounds` damaged copies load; the damage is at or behind `from`, and before `to`.
  int count_loaded(const std::string& original, size_t from, size_t to, int rounds, uint64_t seed) const {
    Mutator mutate(seed);
    int loaded = 0;
    for (int round = 0; round < rounds; ++round) {
      std::string bytes = original;
      if (round % 4 == 0) {
        bytes = original.substr(0, from) + mutate(original.substr(from), "");
      } else {
        for (size_t i = mutate.below(3) + 1; i > 0; --i) {
          const size_t at = from + mutate.below(to - from);
          const char changed[] = {static_cast<char>(mutate.below(256)), '\0', '\xFF',
                                  static_cast<char>(bytes[at] ^ 1)};
          bytes[at] = changed[mutate.below(4)];
        }
      }
      const auto file = write("mutant", bytes);
      loaded += loads([&] {
        for (const auto& [name, source] : open_tensors(file).tensors)
          read_tensor(source).to(at::kDouble).sum();
      });
    }
    return loaded;
  }
  static std::string fixture(const std::string& name) {
    return read_file(std::filesystem::path(T2V_FIXTURES) / "checkpoints" / name, 1 << 20);
  }
};

TEST_F(BinaryMutationTest, ADamagedGgufFileLoadsOrIsRefused) {
  constexpr int kRounds = 4000;
  const std::string original = fixture("blocks.gguf");
  const size_t header = original.find("flattened", original.find("IQ4_XS")) + 64;
  const int loaded = count_loaded(original, 4, header, kRounds, 11);
  EXPECT_GT(loaded, kRounds / 100);
  EXPECT_LT(loaded, kRounds * 3 / 4);
}

TEST_F(BinaryMutationTest, ADamagedTorchFileLoadsOrIsRefused) {
  constexpr int kRounds = 4000;
  const std::string original = fixture("dtypes.pth");
  const int anywhere = count_loaded(original, 4, original.size(), kRounds, 12);
  EXPECT_GT(anywhere, kRounds / 100);
  EXPECT_LT(anywhere, kRounds * 7 / 8);
  const size_t pickle = original.find("collections");
  const int in_pickle = count_loaded(original, pickle, original.find("PK", pickle), kRounds, 13);
  EXPECT_GT(in_pickle, kRounds / 100);
  EXPECT_LT(in_pickle, kRounds * 3 / 4);
}

}  // namespace
}  // namespace t2v
