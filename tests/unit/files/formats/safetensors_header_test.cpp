#include <chrono>

#include <sys/resource.h>
#include <sys/stat.h>

#include "files/formats/tensor_file.h"
#include "unit/checkpoint_files.h"

namespace t2v {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class SafetensorsTest : public WeightsFolder {
 protected:
  std::string refusal(const std::string& bytes) const {
    const auto file = write("model.safetensors", bytes);
    const std::string message = input_error([&] { TensorFile::open(file); });
    EXPECT_THAT(message, HasSubstr("model.safetensors"));
    return message;
  }
  std::string refusal_of_header(const std::string& header, size_t data_size = 0) const {
    return refusal(safetensors_bytes(header, data_size));
  }
};

TEST_F(SafetensorsTest, ReadsTensorsAndMetadata) {
  const auto file = TensorFile::open(write("a.safetensors", safetensors_bytes(R"({"__metadata__":{"k":"v"},
      "second":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},
      "first":{"shape":[2,2],"data_offsets":[0,4],"dtype":"I8"},
      "none":{"dtype":"F32","shape":[3,0],"data_offsets":[4,4]}}   )",
                                                                              6)));
  EXPECT_EQ(file->metadata().at("k"), "v");
  ASSERT_EQ(file->tensors().size(), 3u);
  const auto first_byte = [&](const char* name) { return file->bytes(file->tensors().at(name)).front(); };
  EXPECT_EQ(first_byte("first"), std::byte{0});
  EXPECT_EQ(first_byte("second"), std::byte{4});
  const StoredTensor& first = file->tensors().at("first");
  EXPECT_EQ(first.format, NumberFormat::kI8);
  EXPECT_EQ(first.shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(file->bytes(first).size(), 4u);
  EXPECT_EQ(file->tensors().at("none").shape, (std::vector<int64_t>{3, 0}));
}

TEST_F(SafetensorsTest, ReadsAFileWithoutTensors) {
  EXPECT_TRUE(TensorFile::open(write("a.safetensors", safetensors_bytes("{}", 0)))->tensors().empty());
}

TEST_F(SafetensorsTest, RefusesAHeaderLengthThatCannotBe) {
  EXPECT_THAT(refusal(""), HasSubstr("a file of 0 bytes"));
  EXPECT_THAT(refusal(std::string(7, '\0')), HasSubstr("a file of 7 bytes"));
  EXPECT_THAT(refusal(length_bytes(0)), HasSubstr("not JSON"));
  EXPECT_THAT(refusal(length_bytes(3) + "{}"), HasSubstr("a header of 3 bytes in a file of 10"));
  for (const uint64_t length : {uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 7}) {
    EXPECT_THAT(refusal(length_bytes(length) + "{}"), HasSubstr(std::to_string(length)));
  }
}

TEST_F(SafetensorsTest, RefusesALongHeaderAtOnce) {
  const auto file = write("model.safetensors", length_bytes(100'000'001) + "{}");
  std::filesystem::resize_file(file, 300'000'000);  // sparse
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(input_error([&] { TensorFile::open(file); }), HasSubstr("a header of 100000001 bytes"));
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 10'000);  // KiB
}

TEST_F(SafetensorsTest, RefusesWhatIsNotTheJsonOfAHeader) {
  for (const std::string header : {"[]",
                                   "7",
                                   "null",
                                   "\"x\"",
                                   "{",
                                   "{}}",
                                   "{} x",
                                   "{,}",
                                   R"({"a":1})",
                                   R"({"a":[]})",
                                   R"({"a":null})",
                                   R"({"a":"x"})",
                                   R"({"a":{}})",
                                   R"({"a":{"dtype":"F32"}})",
                                   R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0]}})",
                                   R"({"a":{"dtype":4,"shape":[],"data_offsets":[0,4]}})",
                                   R"({"a":{"dtype":["F32"],"shape":[],"data_offsets":[0,4]}})",
                                   R"({"a":{"dtype":"F32","shape":{},"data_offsets":[0,4]}})",
                                   R"({"a":{"dtype":"F32","shape":4,"data_offsets":[0,4]}})",
                                   R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})",
                                   R"({"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})",
                                   R"({"a":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}})",
                                   R"({"a":{"dtype":"F32","shape":[],"data_offsets":"04"}})",
                                   R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4,4]}})",
                                   R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}})",
                                   R"({"__metadata__":1})",
                                   R"({"__metadata__":{"a":1}})",
                                   R"({"__metadata__":{"a":{}}})",
                                   R"({"__metadata__":{"a":[]}})",
                                   " {}",
                                   "\xEF\xBB\xBF{}"}) {
    EXPECT_NE(refusal_of_header(header, 4), "") << header;
  }
  EXPECT_THAT(refusal_of_header(std::string("{}\0", 3)), HasSubstr("not JSON"));
  EXPECT_THAT(refusal_of_header("{\"\xFF\":{}}"), HasSubstr("UTF-8"));
  EXPECT_NE(refusal_of_header(std::string(1 << 20, '[')), "");
  EXPECT_NE(refusal_of_header(R"({"a":)" + std::string(1 << 20, '[')), "");
}

TEST_F(SafetensorsTest, RefusesNumbersThatAreNoSizes) {
  for (const std::string number : {"-1", "-0", "1.0", "1e0", "18446744073709551616", "-9223372036854775809",
                                   "1e400", "0x1", "01", "NaN"}) {
    const std::string as_shape = R"({"a":{"dtype":"U8","shape":[)" + number + R"(],"data_offsets":[0,1]}})";
    const std::string as_offset = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,)" + number + "]}}";
    EXPECT_NE(refusal_of_header(as_shape, 1), "") << number;
    EXPECT_NE(refusal_of_header(as_offset, 1), "") << number;
  }
}

TEST_F(SafetensorsTest, RefusesNamesAndKeysThatAppearTwice) {
  const std::string a = R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_THAT(refusal_of_header("{" + a + "," + a + "}", 1), HasSubstr("'a' twice"));
  EXPECT_THAT(refusal_of_header(R"({"__metadata__":{},"__metadata__":{}})"), HasSubstr("twice"));
  EXPECT_THAT(refusal_of_header(R"({"__metadata__":{"k":"1","k":"2"}})"), HasSubstr("'k'"));
  EXPECT_THAT(refusal_of_header(R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", 1),
              HasSubstr("'dtype' of 'a' twice"));
  EXPECT_NE(refusal_of_header(R"({"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}})", 1), "");
  EXPECT_NE(
      refusal_of_header(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"data_offsets":[0,1]}})", 1),
      "");
}

TEST_F(SafetensorsTest, RefusesDtypesItCannotHoldByName) {
  for (const std::string dtype :
       {"F4", "F6_E2M3", "F8_E8M0", "C64", "U16", "U32", "U64", "f32", "", "Q4_K"}) {
    EXPECT_THAT(
        refusal_of_header(R"({"a":{"dtype":")" + dtype + R"(","shape":[2],"data_offsets":[0,1]}})", 1),
        AllOf(HasSubstr("the dtype '" + dtype + "'"), HasSubstr("'a'")));
  }
}

TEST_F(SafetensorsTest, RefusesTensorsThatDoNotFillTheFileExactly) {
  const auto two = [](const std::string& a, const std::string& b) {
    return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + a +
           R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}";
  };
  EXPECT_NO_THROW(TensorFile::open(write("a.safetensors", safetensors_bytes(two("[4,8]", "[0,4]"), 8))));
  EXPECT_THAT(refusal_of_header(two("[0,4]", "[3,7]"), 8), HasSubstr("'b' at byte 3"));  // overlap
  EXPECT_THAT(refusal_of_header(two("[0,4]", "[0,4]"), 8), HasSubstr("at byte 0"));      // the same bytes
  EXPECT_THAT(refusal_of_header(two("[0,4]", "[5,9]"), 9), HasSubstr("'b' at byte 5"));  // hole
  EXPECT_THAT(refusal_of_header(two("[1,5]", "[5,9]"), 9),
              HasSubstr("'a' at byte 1"));                                           // does not begin at 0
  EXPECT_THAT(refusal_of_header(two("[0,4]", "[4,8]"), 12), HasSubstr("12 bytes"));  // 4 extra bytes
  EXPECT_THAT(refusal_of_header(two("[0,4]", "[4,8]"), 7), HasSubstr("7 bytes"));    // truncated
  EXPECT_THAT(refusal_of_header(two("[0,4]", "[4,8]"), 0), HasSubstr("0 bytes"));    // down to the header
  EXPECT_THAT(refusal_of_header(two("[0,4]", "[8,4]"), 8), HasSubstr("8 to 4"));     // backwards
  EXPECT_THAT(refusal_of_header(two("[0,4]", "[4,9]"), 9), HasSubstr("4 bytes"));    // not dtype times shape
  EXPECT_NE(refusal_of_header(two("[0,4]", "[18446744073709551614,2]"), 8), "");     // wraps around
}

TEST_F(SafetensorsTest, RefusesShapesThatOverflow) {
  for (const std::string shape :
       {"[9223372036854775808]", "[4294967296,4294967296]", "[4611686018427387904,2]",
        "[0,4294967296,4294967296]", "[4294967296,4294967296,0]"}) {
    EXPECT_THAT(refusal_of_header(R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[0,0]}})"),
                HasSubstr("overflows"))
        << shape;
  }
  std::string ones = "1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  EXPECT_THAT(refusal_of_header(R"({"a":{"dtype":"U8","shape":[)" + ones + R"(],"data_offsets":[0,1]}})", 1),
              HasSubstr("more than 64"));
}

TEST_F(SafetensorsTest, RefusesMoreThanAnyModelHas) {
  const auto header = [](size_t values, size_t tensors) {
    std::string text = R"({"__metadata__":{"k":"")";
    for (size_t i = 1; i < values; ++i) text += ",\"" + std::to_string(i) + R"(":"")";
    text += '}';
    for (size_t i = 0; i < tensors; ++i)
      text += ",\"" + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
    return safetensors_bytes(text + '}', 0);
  };
  constexpr size_t kMost = 65536;
  EXPECT_EQ(TensorFile::open(write("a.safetensors", header(kMost, kMost)))->tensors().size(), kMost);
  EXPECT_THAT(refusal(header(1, kMost + 1)), HasSubstr("more than 65536 tensors"));
  EXPECT_THAT(refusal(header(kMost + 1, 1)), HasSubstr("more than 65536 values of metadata"));
  const auto named = [](size_t length) {
    return "{\"" + std::string(length, 'n') + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})";
  };
  EXPECT_NO_THROW(TensorFile::open(write("a.safetensors", safetensors_bytes(named(256), 0))));
  EXPECT_THAT(refusal_of_header(named(257)), HasSubstr("of 257 bytes"));
}

TEST_F(SafetensorsTest, AnErrorIsShortWhateverTheFileSays) {
  const std::string name(1 << 20, 'n');
  EXPECT_LT(refusal_of_header("{\"" + name + "\":{}}").size(), 600u);
  EXPECT_LT(
      refusal_of_header(R"({"a":{"dtype":")" + name + R"(","shape":[],"data_offsets":[0,1]}})", 1).size(),
      600u);
  EXPECT_LT(refusal_of_header("{\"" + name).size(), 600u);
}

TEST_F(SafetensorsTest, TellsPicklesByTheirContent) {
  // What torch.save wrote before 1.6: bare pickles, of protocol 2.
  const std::string payload =
      "\x80\x02"
      "cposix\nsystem\nX\x0a\0\0\0touch /tmp/x\x85R.";
  for (const std::string& bytes : {payload, std::string("\x80\x04\x95")}) {
    EXPECT_THAT(refusal(bytes), AllOf(HasSubstr("pickle"), HasSubstr("convert")));
  }
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
              HasSubstr("git lfs pull"));
}

TEST_F(SafetensorsTest, AHeaderWhoseLengthLooksLikeAPickleIsRead) {
  const std::string header = "{}" + std::string(0x0280 - 2, ' ');  // its length begins with bytes 80 02
  EXPECT_NO_THROW(TensorFile::open(write("a.safetensors", safetensors_bytes(header, 0))));
}

TEST_F(SafetensorsTest, RefusesWhatIsNoRegularFile) {
  EXPECT_THAT(input_error([&] { TensorFile::open(path("missing")); }), HasSubstr("no such file"));
  EXPECT_THAT(input_error([&] { TensorFile::open(path("")); }), HasSubstr("a folder"));
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_THAT(input_error([&] { TensorFile::open(path("fifo")); }), HasSubstr("special"));
  const auto closed = write("closed", safetensors_bytes("{}", 0));
  ::chmod(closed.c_str(), 0);
  if (::access(closed.c_str(), R_OK) != 0) {  // as root there is no unreadable file
    EXPECT_NE(input_error([&] { TensorFile::open(closed); }), "");
  }
}

}  // namespace
}  // namespace t2v
