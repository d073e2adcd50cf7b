#include "files/formats/foreign_format.h"

#include "files/formats/tensor_file.h"
#include "unit/checkpoint_files.h"

namespace t2v {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ForeignFormat, IsToldByItsFirstBytes) {
  EXPECT_EQ(foreign_format("\x89PNG\r\n\x1A\n and so on"), "a PNG image");
  EXPECT_EQ(foreign_format("\xFF\xD8\xFF\xE0 and so on"), "a JPEG image");
  EXPECT_EQ(foreign_format("RIFF\x10\x20\x30\x40WEBPVP8 "), "a WebP image");
  EXPECT_THAT(std::string(foreign_format("abc\x20"
                                         "ftypisom....")),
              HasSubstr("MP4"));
  EXPECT_THAT(std::string(foreign_format("\x1A\x45\xDF\xA3........")), HasSubstr("Matroska"));
  EXPECT_EQ(foreign_format("\x1F\x8B\x08 and so on"), "a gzip archive");
  EXPECT_EQ(foreign_format(std::string(257, '\0') + "ustar  "), "a tar archive");
}

TEST(ForeignFormat, TextIsToldByHowItBegins) {
  for (const char* page :
       {"<!DOCTYPE html>\n<html>", "\n <!doctype HTML><head>", "\xEF\xBB\xBF<html lang=\"en\">"}) {
    EXPECT_THAT(std::string(foreign_format(page)), HasSubstr("a web page")) << page;
  }
  EXPECT_EQ(foreign_format("<?xml version=\"1.0\"?><Error>"), "XML text");
  EXPECT_EQ(foreign_format("{\"_class_name\": \"WanTransformer3DModel\"}"), "JSON text");
  EXPECT_EQ(foreign_format("Invalid username or password.\n"), "plain text");
  EXPECT_EQ(foreign_format("\xE8\xAF\xB7\xE5\x85\x88\xE7\x99\xBB\xE5\xBD\x95"), "plain text");
  EXPECT_EQ(foreign_format(std::string(2, ' ') + std::string(300, '\xC3')), "");  // not UTF-8
  std::string cut(511, 'a');
  EXPECT_EQ(foreign_format(cut + "\xC3\xA4 and so on"), "plain text");  // in the middle of a letter
  EXPECT_EQ(foreign_format("          \n"), "blank text");
}

TEST(ForeignFormat, WhatMayBeACheckpointIsNone) {
  EXPECT_EQ(foreign_format(""), "");
  EXPECT_EQ(foreign_format("1234567"), "");
  EXPECT_EQ(foreign_format(length_bytes(1000) + "{\"a\":"), "");
  EXPECT_EQ(foreign_format(std::string("GGUF\x03\0\0\0\0", 9)), "");
  EXPECT_EQ(foreign_format(std::string(64, '\0')), "");
}

class ForeignFileTest : public WeightsFolder {
 protected:
  std::string refusal(const std::string& bytes) const {
    return input_error([&] { TensorFile::open(write("model.safetensors", bytes)); });
  }
};

TEST_F(ForeignFileTest, OneLineSaysWhatAFileIs) {
  EXPECT_THAT(refusal("\x89PNG\r\n\x1A\n....IHDR"),
              AllOf(HasSubstr("model.safetensors: got a PNG image"),
                    HasSubstr("expected a safetensors, GGUF or"), Not(HasSubstr("header"))));
  EXPECT_THAT(refusal("<!DOCTYPE html><title>Log in</title>"), HasSubstr("a page to log in"));
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
              HasSubstr("git lfs pull"));
}

TEST_F(ForeignFileTest, AHeaderThatLooksLikeAnotherFormatIsRead) {
  // Its length begins with the bytes 1F 8B, as gzip does.
  const std::string header = "{}" + std::string(0x8B1F - 2, ' ');
  EXPECT_NO_THROW(TensorFile::open(write("a.safetensors", safetensors_bytes(header, 0))));
}

}  // namespace
}  // namespace t2v
