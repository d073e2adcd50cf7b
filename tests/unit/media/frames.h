#pragma once

#include <cmath>
#include <cstdint>

#include "core/frames.h"

namespace t2v {

inline uint8_t level(double value) { return static_cast<uint8_t>(std::lround(std::fmin(255, std::fmax(0, value)))); }

/// A picture with something of everything: a gradient, texture, and a saturated disc that moves by three pixels a frame.
inline Frames moving_disc(int64_t count, int64_t height, int64_t width, int64_t first = 0) {
  Frames frames{.count = count, .height = height, .width = width, .rgb = {}};
  frames.rgb.reserve(static_cast<size_t>(3 * count * height * width));
  for (int64_t t = first; t < first + count; ++t) {
    const double center_x = 0.2 * static_cast<double>(width) + 3.0 * static_cast<double>(t);
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        const double u = static_cast<double>(x) / static_cast<double>(width);
        const double v = static_cast<double>(y) / static_cast<double>(height);
        const double texture = 12 * std::sin(0.5 * static_cast<double>(x)) * std::sin(0.4 * static_cast<double>(y));
        const double distance = std::hypot(static_cast<double>(x) - center_x, (v - 0.5) * static_cast<double>(height));
        // The disc's edge is two pixels wide, as a camera's or a decoder's would be.
        const double disc = std::fmin(1, std::fmax(0, 0.5 * (0.18 * static_cast<double>(height) - distance) + 0.5));
        const auto mix = [disc](double ground, double ball) { return level(ground + disc * (ball - ground)); };
        frames.rgb.push_back(mix(60 + 50 * u + texture, 205));
        frames.rgb.push_back(mix(110 + 60 * v + texture, 40));
        frames.rgb.push_back(mix(70 + 40 * u * v + texture, 35));
      }
    }
  }
  return frames;
}

}  // namespace t2v
