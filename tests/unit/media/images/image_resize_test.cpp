#include "media/images/image_resize.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "t2v/error.h"

namespace t2v {
namespace {

/// What scripts/fixtures/make_images.py calls noise.
Frames noise(const nlohmann::json& size) {
  Frames frames{.count = 1, .height = size[0], .width = size[1], .rgb = {}};
  auto state = static_cast<uint32_t>(frames.height * 1000 + frames.width);
  for (int64_t i = 0; i < 3 * frames.height * frames.width; ++i) {
    state = state * 1664525U + 1013904223U;
    frames.rgb.push_back(static_cast<uint8_t>(state >> 24));
  }
  return frames;
}

/// The CRC-32 of zlib.
uint32_t crc32(const std::vector<uint8_t>& bytes) {
  uint32_t crc = ~0U;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

nlohmann::json golden() {
  return nlohmann::json::parse(std::ifstream(std::filesystem::path(T2V_FIXTURES) / "core/resize.json"));
}

ResizeFilter filter_of(const std::string& name) {
  if (name == "bilinear") return ResizeFilter::kBilinear;
  return name == "bicubic" ? ResizeFilter::kBicubic : ResizeFilter::kLanczos;
}

TEST(Resize, IsPillowsBitForBit) {
  const nlohmann::json cases = golden();
  EXPECT_GE(cases["resize"].size(), 30U);
  for (const auto& item : cases["resize"]) {
    const Frames actual =
        resize(noise(item["from"]), item["to"][0], item["to"][1], filter_of(item["filter"]));
    EXPECT_EQ(actual.height, item["to"][0]);
    EXPECT_EQ(actual.width, item["to"][1]);
    EXPECT_EQ(crc32(actual.rgb), item["crc"].get<uint32_t>()) << item;
  }
  EXPECT_EQ(resize(noise({3, 4}), 5, 2, ResizeFilter::kBicubic).rgb,
            cases["small"].get<std::vector<uint8_t>>());
}

TEST(Resize, TakesEveryFrameByItself) {
  const Frames one = noise({9, 7}), other = noise({9, 7});
  Frames two{.count = 2, .height = 9, .width = 7, .rgb = one.rgb};
  two.rgb.insert(two.rgb.end(), other.rgb.rbegin(), other.rgb.rend());
  const Frames actual = resize(two, 4, 5, ResizeFilter::kLanczos);
  const Frames first = resize(one, 4, 5, ResizeFilter::kLanczos);
  const Frames second =
      resize({1, 9, 7, {other.rgb.rbegin(), other.rgb.rend()}}, 4, 5, ResizeFilter::kLanczos);
  EXPECT_EQ(actual.count, 2);
  EXPECT_TRUE(std::equal(first.rgb.begin(), first.rgb.end(), actual.rgb.begin()));
  EXPECT_TRUE(std::equal(second.rgb.rbegin(), second.rgb.rend(), actual.rgb.rbegin()));
}

TEST(Resize, RefusesAbsurdSizes) {
  for (const auto& [height, width] : {std::pair<int64_t, int64_t>{0, 5}, {5, -1}, {int64_t{1} << 40, 3}}) {
    try {
      resize(noise({3, 4}), height, width, ResizeFilter::kLanczos);
      ADD_FAILURE() << height << "x" << width;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
    }
  }
}

TEST(CenterCrop, IsTransformersBitForBit) {
  const nlohmann::json cases = golden()["center_crop"];
  EXPECT_EQ(cases.size(), 5U);
  for (const auto& item : cases) {
    const Frames actual = center_crop(noise(item["from"]), item["to"][0], item["to"][1]);
    EXPECT_EQ(crc32(actual.rgb), item["crc"].get<uint32_t>()) << item;
  }
}

TEST(ImageSizes, AreTheReferences) {
  EXPECT_EQ(shortest_edge_size({480, 832}, 224), (ImageSize{224, 388}));
  EXPECT_EQ(shortest_edge_size({832, 480}, 224), (ImageSize{388, 224}));
  EXPECT_EQ(shortest_edge_size({7, 7}, 224), (ImageSize{224, 224}));
  // Smaller than wanted: only cut to multiples of 16. Larger: shrunk after it was cut to multiples of 8.
  EXPECT_EQ(control_video_size({255, 330}, {480, 832}, 8, 16), (ImageSize{240, 320}));
  EXPECT_EQ(control_video_size({1080, 1920}, {480, 832}, 8, 16), (ImageSize{464, 832}));
  EXPECT_EQ(control_video_size({487, 839}, {480, 832}, 8, 16), (ImageSize{480, 832}));
  EXPECT_EQ(fitted_size({100, 50}, {480, 832}), (ImageSize{480, 240}));
  EXPECT_EQ(fitted_size({1000, 3000}, {480, 832}), (ImageSize{277, 832}));
}

}  // namespace
}  // namespace t2v
