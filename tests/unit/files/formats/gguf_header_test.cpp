#include <chrono>

#include "files/checkpoints/recognise.h"
#include "files/formats/tensor_file.h"
#include "unit/checkpoint_files.h"

namespace t2v {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

template <typename Number>
std::string raw(Number value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}
std::string text(const std::string& value) { return raw<uint64_t>(value.size()) + value; }

constexpr uint32_t kF32 = 0, kQ8_0 = 8;

/// The description of a tensor; `dimensions` as the file has them, the fastest first.
std::string tensor(const std::string& name, const std::vector<uint64_t>& dimensions, uint32_t type,
                   uint64_t offset) {
  std::string bytes = text(name) + raw<uint32_t>(static_cast<uint32_t>(dimensions.size()));
  for (const uint64_t size : dimensions) bytes += raw(size);
  return bytes + raw(type) + raw(offset);
}

/// A file with these values and tensors, and `data` behind them, aligned to 32.
std::string gguf(const std::vector<std::string>& values, const std::vector<std::string>& tensors, size_t data,
                 uint32_t version = 3) {
  std::string bytes =
      std::string("GGUF") + raw(version) + raw<uint64_t>(tensors.size()) + raw<uint64_t>(values.size());
  for (const std::string& value : values) bytes += value;
  for (const std::string& one : tensors) bytes += one;
  bytes.resize((bytes.size() + 31) / 32 * 32, '\0');
  for (size_t i = 0; i < data; ++i) bytes += static_cast<char>(i);
  return bytes;
}

class GgufTest : public WeightsFolder {
 protected:
  std::shared_ptr<const TensorFile> open(const std::string& bytes) const {
    return TensorFile::open(write("model.gguf", bytes));
  }
  std::string refusal(const std::string& bytes) const {
    const std::string message = input_error([&] { open(bytes); });
    EXPECT_THAT(message, HasSubstr("model.gguf"));
    EXPECT_LT(message.size(), 800u);
    return message;
  }
};

TEST_F(GgufTest, ReadsTensorsAndMetadata) {
  for (const uint32_t version : {2, 3}) {
    const auto file = open(gguf({text("a.text") + raw<uint32_t>(8) + text("wan"),
                                 text("a.number") + raw<uint32_t>(4) + raw<uint32_t>(7),
                                 text("a.list") + raw<uint32_t>(9) + raw<uint32_t>(5) + raw<uint64_t>(2) +
                                     raw<int32_t>(1) + raw<int32_t>(-2)},
                                {tensor("x", {2, 3}, kF32, 0), tensor("y", {32}, kQ8_0, 32)}, 66, version));
    EXPECT_EQ(file->format(), FileFormat::kGguf);
    EXPECT_EQ(file->metadata().at("a.text"), "wan");
    EXPECT_EQ(file->metadata().at("a.number"), "7");
    EXPECT_EQ(file->metadata().at("a.list"), "[1,-2]");
    const StoredTensor& x = file->tensors().at("x");
    EXPECT_EQ(x.shape, (std::vector<int64_t>{3, 2}));  // the other way round
    EXPECT_EQ(file->bytes(x).size(), 24u);
    EXPECT_EQ(file->bytes(x).front(), std::byte{0});
    EXPECT_EQ(file->tensors().at("y").format, NumberFormat::kQ8_0);
    EXPECT_EQ(file->bytes(file->tensors().at("y")).front(), std::byte{32});
  }
}

TEST_F(GgufTest, PaddingBehindTheLastTensorIsAllowed) {
  EXPECT_NO_THROW(open(gguf({}, {tensor("x", {2}, kF32, 0)}, 32)));
  EXPECT_NO_THROW(open(gguf({}, {}, 0)));
}

TEST_F(GgufTest, RefusesOtherVersions) {
  for (const uint32_t version : {0u, 1u, 4u, 0x03000000u}) {
    EXPECT_THAT(refusal(gguf({}, {}, 0, version)), HasSubstr("version"));
  }
}

TEST_F(GgufTest, RefusesFilesThatEndAnywhere) {
  const std::string whole = gguf({text("k") + raw<uint32_t>(8) + text("v")}, {tensor("x", {2}, kF32, 0)}, 8);
  for (size_t length = 4; length < whole.size(); ++length) EXPECT_NE(refusal(whole.substr(0, length)), "");
  EXPECT_NE(refusal(whole + std::string(64, '\0')), "");
}

TEST_F(GgufTest, RefusesCountsAndLengthsBeyondTheFileAtOnce) {
  const auto start = std::chrono::steady_clock::now();
  for (const uint64_t count : {uint64_t{1} << 63, ~uint64_t{0}, uint64_t{1} << 32, uint64_t{100}}) {
    EXPECT_NE(refusal(std::string("GGUF") + raw<uint32_t>(3) + raw(count) + raw<uint64_t>(0) +
                      std::string(64, '\0')),
              "");
    EXPECT_NE(refusal(std::string("GGUF") + raw<uint32_t>(3) + raw<uint64_t>(0) + raw(count) +
                      std::string(64, '\0')),
              "");
    EXPECT_NE(refusal(gguf({raw(count) + "key"}, {}, 64)), "");
    EXPECT_NE(refusal(gguf({text("k") + raw<uint32_t>(8) + raw(count)}, {}, 8)), "");
    EXPECT_NE(refusal(gguf({text("k") + raw<uint32_t>(9) + raw<uint32_t>(0) + raw(count * 100)}, {}, 8)), "");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST_F(GgufTest, RefusesMoreThanAnyModelHas) {
  const std::string many(4 << 20, '\0');  // as much as so many tensors may take
  for (const auto& [tensors, values] : {std::pair<uint64_t, uint64_t>{65'537, 0}, {0, 65'537}}) {
    EXPECT_THAT(refusal("GGUF" + raw<uint32_t>(3) + raw(tensors) + raw(values) + many),
                HasSubstr("at most 65536"));
  }
  EXPECT_NO_THROW(open(gguf({}, {tensor(std::string(256, 'n'), {2}, kF32, 0)}, 32)));
  EXPECT_THAT(refusal(gguf({}, {tensor(std::string(257, 'n'), {2}, kF32, 0)}, 32)),
              HasSubstr("of 257 bytes"));
}

TEST_F(GgufTest, RefusesValuesThatAreNone) {
  EXPECT_THAT(refusal(gguf({text("k") + raw<uint32_t>(13) + raw<uint64_t>(0)}, {}, 0)), HasSubstr("type 13"));
  EXPECT_THAT(refusal(gguf({text("k") + raw<uint32_t>(7) + "\x02"}, {}, 8)), HasSubstr("truth value 2"));
  EXPECT_THAT(refusal(gguf({text("") + raw<uint32_t>(0) + "a"}, {}, 8)), HasSubstr("key"));
  EXPECT_THAT(refusal(gguf({text("\xFF") + raw<uint32_t>(0) + "a"}, {}, 8)), HasSubstr("UTF-8"));
  const std::string value = text("k") + raw<uint32_t>(0) + "a";
  EXPECT_THAT(refusal(gguf({value, value}, {}, 8)), HasSubstr("'k' twice"));
  std::string nested = text("k") + raw<uint32_t>(9);
  for (int i = 0; i < 1000; ++i) nested += raw<uint32_t>(9) + raw<uint64_t>(1);
  EXPECT_THAT(refusal(gguf({nested}, {}, 8)), HasSubstr("lists in lists"));
}

TEST_F(GgufTest, RefusesAlignmentsThatAreNone) {
  for (const uint32_t alignment : {0u, 3u, 33u, 1u << 31}) {
    const std::string value = text("general.alignment") + raw<uint32_t>(4) + raw(alignment);
    EXPECT_THAT(refusal(gguf({value}, {tensor("x", {2}, kF32, 0)}, 8)), HasSubstr("alignment"));
  }
  EXPECT_THAT(refusal(gguf({text("general.alignment") + raw<uint32_t>(8) + text("x")}, {}, 8)),
              HasSubstr("alignment"));
}

TEST_F(GgufTest, RefusesTensorsThatCannotBe) {
  const auto one = [](const std::string& description, size_t data = 64) {
    return gguf({}, {description}, data);
  };
  EXPECT_THAT(refusal(one(tensor("x", {2}, kF32, 4))), HasSubstr("alignment"));
  EXPECT_THAT(refusal(one(tensor("x", {2}, kF32, 32))), HasSubstr("without gap"));
  EXPECT_THAT(refusal(one(tensor("x", {1000}, kF32, 0))), HasSubstr("end of the file"));
  EXPECT_NE(refusal(one(tensor("x", {2}, kF32, ~uint64_t{31}))), "");
  EXPECT_THAT(refusal(one(tensor("x", {uint64_t{1} << 63}, kF32, 0))), HasSubstr("overflows"));
  EXPECT_THAT(refusal(one(tensor("x", {uint64_t{1} << 32, uint64_t{1} << 32}, kF32, 0))),
              HasSubstr("overflows"));
  EXPECT_THAT(refusal(one(tensor("x", {0, uint64_t{1} << 62, 8}, kF32, 0))), HasSubstr("overflows"));
  EXPECT_THAT(refusal(one(tensor("x", std::vector<uint64_t>(9, 1), kF32, 0))), HasSubstr("dimensions"));
  EXPECT_THAT(refusal(one(tensor("x", {33}, kQ8_0, 0))), HasSubstr("whole blocks"));
  EXPECT_THAT(refusal(one(tensor("x", {}, kQ8_0, 0))), HasSubstr("whole blocks"));
  EXPECT_THAT(refusal(one(tensor("x", {256}, 16, 0))), AllOf(HasSubstr("'x'"), HasSubstr("IQ2_XXS")));
  EXPECT_THAT(refusal(one(tensor("x", {256}, 4, 0))), HasSubstr("type 4"));
  const std::string x = tensor("x", {8}, kF32, 0);
  EXPECT_THAT(refusal(gguf({}, {x, x}, 64)), HasSubstr("'x' twice"));
  EXPECT_THAT(refusal(gguf({}, {x, tensor("y", {8}, kF32, 0)}, 64)), HasSubstr("overlap"));
}

TEST_F(GgufTest, BlocksAreNotCutInTwo) {
  Component component = open_tensors(write(
      "model.gguf",
      gguf({}, {tensor("a.to_kv.bias", {96}, kQ8_0, 0), tensor("b.to_kv.bias", {64}, kQ8_0, 128)}, 196)));
  split_fused(component, {{".to_kv.", {".to_k.", ".to_v."}}});
  EXPECT_TRUE(component.has("a.to_kv.bias"));
  EXPECT_FALSE(component.has("a.to_k.bias"));
  EXPECT_EQ(component.get("b.to_v.bias").stored.shape, std::vector<int64_t>{32});
}

TEST_F(GgufTest, RefusesAnOriginalShapeOfOtherSize) {
  const auto shaped = [](uint64_t rows) {
    return gguf({text("comfy.gguf.orig_shape.x") + raw<uint32_t>(9) + raw<uint32_t>(5) + raw<uint64_t>(2) +
                 raw<int32_t>(static_cast<int32_t>(rows)) + raw<int32_t>(2)},
                {tensor("x", {8}, kF32, 0)}, 32);
  };
  EXPECT_EQ(open(shaped(4))->tensors().at("x").shape, (std::vector<int64_t>{4, 2}));
  for (const uint64_t rows : {uint64_t{3}, uint64_t{0}, ~uint64_t{3}}) {
    EXPECT_THAT(refusal(shaped(rows)), HasSubstr("original shape"));
  }
}

}  // namespace
}  // namespace t2v
