#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "media/clip_writer.h"
#include "media/images/frames.h"
#include "media/video_reader.h"

namespace t2v {

namespace fs = std::filesystem;

/// A fresh folder that goes away with the test.
class MediaTest : public ::testing::Test {
 protected:
  MediaTest() {
    std::string name = ::testing::TempDir() + "/t2v_media_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~MediaTest() override { fs::remove_all(folder_); }

  fs::path path(const std::string& name) const { return folder_ / name; }
  /// How many things there are in the folder, hidden ones too.
  int64_t entries() const { return std::distance(fs::directory_iterator(folder_), fs::directory_iterator()); }

  fs::path folder_;
};

inline std::string content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// What a command prints.
inline std::string output_of(const std::string& command) {
  std::string text;
  std::array<char, 4096> buffer{};
  FILE* pipe = ::popen(command.c_str(), "r");
  while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), count);
  ::pclose(pipe);
  return text;
}

inline uint8_t level(double value) {
  return static_cast<uint8_t>(std::lround(std::fmin(255, std::fmax(0, value))));
}

/// A picture with something of everything: gradients, texture, and a saturated disc that moves by three
/// pixels a frame.
inline Frames moving_disc(int64_t count, int64_t height, int64_t width, int64_t first = 0) {
  Frames frames{.count = count, .height = height, .width = width, .rgb = {}};
  frames.rgb.reserve(static_cast<size_t>(3 * count * height * width));
  const auto rows = static_cast<double>(height), columns = static_cast<double>(width);
  for (int64_t t = first; t < first + count; ++t) {
    const double center = 0.2 * columns + 3.0 * static_cast<double>(t);
    for (double y = 0; y < rows; ++y) {
      for (double x = 0; x < columns; ++x) {
        const double texture = 12 * std::sin(0.5 * x) * std::sin(0.4 * y);
        // The edge is two pixels wide, as a camera's or a decoder's would be.
        const double distance = std::hypot(x - center, y - 0.5 * rows);
        const double disc = std::fmin(1, std::fmax(0, 0.5 * (0.18 * rows - distance) + 0.5));
        const auto mix = [disc](double ground, double ball) {
          return level(ground + disc * (ball - ground));
        };
        frames.rgb.push_back(mix(60 + 50 * x / columns + texture, 205));
        frames.rgb.push_back(mix(110 + 60 * y / rows + texture, 40));
        frames.rgb.push_back(mix(70 + 40 * x * y / rows / columns + texture, 35));
      }
    }
  }
  return frames;
}

/// Settings of a clip of `count` small frames.
inline ClipSettings small_clip(int64_t count = 5) {
  return {.width = 64, .height = 48, .fps = 16, .frame_count = count};
}

/// Writes a whole clip in two pieces, as a streaming decoder does.
inline void write_clip(const fs::path& output, const ClipSettings& settings) {
  const auto writer = make_clip_writer(output, settings);
  const int64_t first = settings.frame_count / 2;
  writer->write(moving_disc(first, settings.height, settings.width));
  writer->write(moving_disc(settings.frame_count - first, settings.height, settings.width, first));
  writer->publish();
}

/// Every frame of a clip.
inline Frames read_clip(const fs::path& file) {
  VideoReader reader(file);
  Frames clip{.count = 0, .height = reader.info().height, .width = reader.info().width, .rgb = {}};
  while (reader.next()) {
    const Frames frame = reader.frame();
    clip.rgb.insert(clip.rgb.end(), frame.rgb.begin(), frame.rgb.end());
    ++clip.count;
  }
  return clip;
}

}  // namespace t2v
