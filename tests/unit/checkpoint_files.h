#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "t2v/error.h"

namespace t2v {

/// A folder for the files of one test, gone at its end.
class WeightsFolder : public ::testing::Test {
 protected:
  WeightsFolder() {
    folder_ = ::testing::TempDir() + "t2v_weights_XXXXXX";
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
  }
  ~WeightsFolder() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::filesystem::path path(const std::string& name) const { return std::filesystem::path(folder_) / name; }

  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    // Writing over a file makes ext4 bring it to the disk at once.
    std::filesystem::remove(path(name));
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }

 private:
  std::string folder_;
};

/// The 8 bytes that a safetensors file begins with.
inline std::string length_bytes(uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i));
  return bytes;
}

/// A file with this header and `data_size` bytes 0, 1, 2, ... behind it.
inline std::string safetensors_bytes(const std::string& header, size_t data_size) {
  std::string bytes = length_bytes(header.size()) + header;
  for (size_t i = 0; i < data_size; ++i) bytes += static_cast<char>(i);
  return bytes;
}

/// What `action` says when it throws the Error of a bad input; fails for anything else.
template <typename Action>
std::string input_error(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no Error";
  return "";
}

}  // namespace t2v
