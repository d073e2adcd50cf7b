#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "media/images/frames.h"

namespace t2v {

/// A folder of fixtures with what the reference makes of each file, in expected.json.
class ExpectedFrames {
 public:
  explicit ExpectedFrames(const std::string& name)
      : folder_(std::filesystem::path(T2V_FIXTURES) / "media" / name),
        json_(nlohmann::json::parse(std::ifstream(folder_ / "expected.json"))) {}

  std::filesystem::path file(const std::string& name) const { return folder_ / name; }

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& [name, frames] : json_.items()) result.push_back(name);
    return result;
  }

  Frames operator[](const std::string& name) const {
    const nlohmann::json& frames = json_.at(name);
    return {frames["count"], frames["height"], frames["width"], from_base64(frames["rgb"])};
  }

 private:
  static std::vector<uint8_t> from_base64(const std::string& text) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::vector<uint8_t> bytes;
    uint32_t bits = 0;
    int count = 0;
    for (const char digit : text) {
      if (digit == '=') break;
      bits = bits << 6 | static_cast<uint32_t>(kDigits.find(digit));
      count += 6;
      if (count < 8) continue;
      count -= 8;
      bytes.push_back(static_cast<uint8_t>(bits >> count));
    }
    return bytes;
  }

  std::filesystem::path folder_;
  nlohmann::json json_;
};

/// Expects frames of the same number and size, whose levels differ by at most `tolerance`.
inline void expect_near(const Frames& actual, const Frames& expected, int tolerance) {
  EXPECT_EQ(actual.count, expected.count);
  EXPECT_EQ(actual.height, expected.height);
  EXPECT_EQ(actual.width, expected.width);
  ASSERT_EQ(actual.rgb.size(), expected.rgb.size());
  int largest = 0;
  for (size_t i = 0; i < expected.rgb.size(); ++i)
    largest = std::max(largest, std::abs(actual.rgb[i] - expected.rgb[i]));
  EXPECT_LE(largest, tolerance);
}

/// A file's name as the name of a test.
inline std::string test_name(const ::testing::TestParamInfo<std::string>& instance) {
  std::string name = instance.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

}  // namespace t2v
