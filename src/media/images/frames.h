#pragma once

#include <cstdint>
#include <vector>

namespace t2v {

/// A run of consecutive video frames, or images: 8-bit RGB, [count][height][width][3], rounded to the nearest
/// level.
struct Frames {
  int64_t count = 0;
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> rgb;
};

/// The limit on pixels of one frame; more is a mistake or an attack. (PIL's limit for decompression bombs.)
constexpr int64_t kMostPixels = 178'956'970;

}  // namespace t2v
