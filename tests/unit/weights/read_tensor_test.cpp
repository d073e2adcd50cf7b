#include "weights/read_tensor.h"

#include "../checkpoint_files.h"

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
  const std::string padded = header + std::string(8 - header.size() % 8, ' ');
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

}  // namespace
}  // namespace t2v
