#include <csignal>

#include <sys/resource.h>
#include <sys/stat.h>

#include "tensors/weights/read_tensor.h"
#include "tensors/weights/safetensors_writer.h"
#include "unit/checkpoint_files.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

class SafetensorsWriterTest : public WeightsFolder {
 protected:
  template <typename Action>
  static std::string output_error_of(const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kOutput) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "no Error";
    return "";
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path("")))
      found.push_back(entry.path().filename());
    return found;
  }
};

TEST_F(SafetensorsWriterTest, WhatItWritesReadsBack) {
  const Tensor base = at::arange(12, at::kFloat).reshape({3, 4});
  std::vector<std::pair<std::string, Tensor>> tensors = {{"latents", base.t()},
                                                         {"odd", at::arange(3, at::kByte)},
                                                         {"scalar", at::scalar_tensor(2.5)},
                                                         {"none", at::empty({0, 2})}};
  for (const at::ScalarType dtype :
       {at::kDouble, at::kHalf, at::kBFloat16, at::kFloat8_e4m3fn, at::kFloat8_e5m2, at::kLong, at::kInt,
        at::kShort, at::kChar, at::kBool}) {
    tensors.emplace_back(dtype_name(dtype), base.to(dtype));
  }
  const std::string text = "a \"prompt\"\n\xC3\xA9 \xF0\x9F\x90\x88";
  write_safetensors(path("a.safetensors"), tensors, {{"prompt", text}, {"seed", "42"}});

  const Component file = open_tensors(path("a.safetensors"));
  EXPECT_EQ(file.files.at(0)->metadata(),
            (std::map<std::string, std::string>{{"prompt", text}, {"seed", "42"}}));
  ASSERT_EQ(file.tensors.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const Tensor read = read_tensor(file.get(name));
    EXPECT_EQ(read.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(read.to(at::kDouble), tensor.to(at::kDouble))) << name;
    EXPECT_EQ(read.sizes(), tensor.sizes()) << name;
  }
  EXPECT_THAT(names(), ::testing::ElementsAre("a.safetensors"));
}

TEST_F(SafetensorsWriterTest, AlignsTheData) {
  // Headers of every length modulo 8, and data of an odd size.
  for (std::string name = "y"; name.size() <= 8; name += "y") {
    write_safetensors(path("a.safetensors"), {{"x", at::zeros({3}, at::kByte)}, {name, at::ones({2})}}, {});
    const Component file = open_tensors(path("a.safetensors"));
    EXPECT_EQ(read_tensor(file.get(name)).const_data_ptr(),
              read_tensor(file.get(name)).const_data_ptr());  // not copied, so aligned
  }
}

TEST_F(SafetensorsWriterTest, ReplacesWhatWasThere) {
  write("target", "old");
  std::filesystem::create_symlink("target", path("link"));
  write_safetensors(path("link"), {{"x", at::ones({2})}}, {});
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_EQ(TensorFile::open(path("target"))->tensors().size(), 1u);
  EXPECT_THAT(names(), ::testing::UnorderedElementsAre("target", "link"));
}

TEST_F(SafetensorsWriterTest, SaysWhenItCannotWrite) {
  const std::vector<std::pair<std::string, Tensor>> tensors = {{"x", at::ones({2})}};
  EXPECT_THAT(output_error_of([&] { write_safetensors(path("no/such"), tensors, {}); }),
              HasSubstr("no/such"));
  write("file", "");
  EXPECT_NE(output_error_of([&] { write_safetensors(path("file/below"), tensors, {}); }), "");
  EXPECT_THAT(output_error_of([&] { write_safetensors(path(""), tensors, {}); }), HasSubstr("a folder"));
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_THAT(output_error_of([&] { write_safetensors(path("fifo"), tensors, {}); }), HasSubstr("special"));
  EXPECT_TRUE(std::filesystem::is_fifo(path("fifo")));
  EXPECT_THAT(names(), ::testing::UnorderedElementsAre("file", "fifo"));
}

TEST_F(SafetensorsWriterTest, AFailedWriteLeavesTheOldFileAlone) {
  write("old", "kept");
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string message = output_error_of([&] {
    write_safetensors(path("old"), {{"x", at::ones({4000})}}, {});
  });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, HasSubstr("old"));
  EXPECT_EQ(read_file(path("old"), 100), "kept");
  EXPECT_THAT(names(), ::testing::ElementsAre("old"));
}

TEST_F(SafetensorsWriterTest, RefusesWhatTheFormatCannotSay) {
  const Tensor x = at::ones({1});
  for (const auto& tensors : std::vector<std::vector<std::pair<std::string, Tensor>>>{
           {{"x", x}, {"x", x}}, {{"__metadata__", x}}, {{"\xFF", x}}, {{"x", x.to(at::kComplexFloat)}}}) {
    EXPECT_THROW(write_safetensors(path("a"), tensors, {}), Error);
  }
  EXPECT_THROW(write_safetensors(path("a"), {{"x", x}}, {{"prompt", "\xFF"}}), Error);
  EXPECT_TRUE(names().empty());
}

}  // namespace
}  // namespace t2v
