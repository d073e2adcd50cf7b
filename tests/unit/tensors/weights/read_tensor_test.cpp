#include "tensors/weights/read_tensor.h"

#include "unit/checkpoint_files.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

class ReadTensorTest : public WeightsFolder {
 protected:
  static Tensor read(const std::filesystem::path& file, const std::string& name) {
    return read_tensor(open_tensors(file).get(name));
  }
};

TEST_F(ReadTensorTest, AlignedTensorsAreTheFileItself) {
  const std::string header = R"({"x":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}})";
  std::string padded = header;
  padded.resize((header.size() + 7) / 8 * 8, ' ');
  Tensor first, second, unaligned;
  {
    const Component aligned = open_tensors(write("a.safetensors", safetensors_bytes(padded, 8)));
    first = read_tensor(aligned.get("x"));
    second = read_tensor(aligned.get("x"));
    unaligned = read(write("b.safetensors", safetensors_bytes(padded + " ", 8)), "x");
  }
  EXPECT_EQ(first.const_data_ptr(), second.const_data_ptr());
  // The files are closed by now; the tensors keep what they need.
  EXPECT_TRUE(at::equal(first, at::tensor({0x03020100, 0x07060504}, at::kInt)));
  EXPECT_TRUE(at::equal(unaligned, first));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(unaligned.const_data_ptr()) % 4, 0u);
}

TEST_F(ReadTensorTest, RefusesABoolThatIsNoBool) {
  const auto file = write("a.safetensors",
                          safetensors_bytes(R"({"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}})", 3));
  EXPECT_THAT(input_error([&] { read(file, "a"); }), HasSubstr("BOOL"));
}

TEST_F(ReadTensorTest, RefusesHalfABlock) {
  TensorSource source =
      open_tensors(write("a.safetensors",
                         safetensors_bytes(R"({"a":{"dtype":"U8","shape":[68],"data_offsets":[0,68]}})", 68)))
          .get("a");
  source.stored.format = NumberFormat::kQ8_0;
  source.stored.shape = {64};
  EXPECT_EQ(read_tensor(source).numel(), 64);
  source.stored.shape = {48};
  EXPECT_THAT(input_error([&] { read_tensor(source); }), HasSubstr("48 numbers"));
  source.stored.end -= 17;
  EXPECT_THAT(input_error([&] { read_tensor(source); }), HasSubstr("51 bytes"));
}

}  // namespace
}  // namespace t2v
