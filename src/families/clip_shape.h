#pragma once

#include <cstdint>

namespace t2v {

/// Number of frames, height and width in pixels.
struct ClipShape {
  int64_t num_frames, height, width;
};

}  // namespace t2v
