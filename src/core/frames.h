#pragma once

#include <cstdint>
#include <vector>

namespace t2v {

/// A run of consecutive video frames: 8-bit RGB, [count][height][width][3], rounded to the nearest level.
struct Frames {
  int64_t count = 0;
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> rgb;
};

}  // namespace t2v
