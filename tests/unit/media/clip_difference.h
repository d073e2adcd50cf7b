#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "media/images/frames.h"

namespace t2v {

/// How far two clips are apart.
struct Difference {
  double psnr = 0;                        // dB
  std::array<double, 3> mean_error = {};  // of red, green, blue; in levels
};

inline Difference difference(const Frames& a, const Frames& b) {
  EXPECT_EQ(a.rgb.size(), b.rgb.size());
  double squares = 0;
  Difference result;
  const auto count = static_cast<double>(a.rgb.size());
  for (size_t i = 0; i < std::min(a.rgb.size(), b.rgb.size()); ++i) {
    const double error = static_cast<double>(b.rgb[i]) - a.rgb[i];
    squares += error * error;
    result.mean_error[i % 3] += error / (count / 3);
  }
  result.psnr = 10 * std::log10(255 * 255 * count / squares);
  return result;
}

}  // namespace t2v
