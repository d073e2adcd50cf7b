#pragma once

#include <cstdint>
#include <functional>

#include "tensors/tensor.h"

namespace t2v {

/// A video that is made a few frames at a time, so that it need not be in memory as a whole.
struct VideoSource {
  int64_t num_frames, height, width;
  /// Frames `first` to `first + count` - 1: [1, channels, count, height, width] in [-1, 1]. Called in the
  /// order of the frames; with tiling once for each tile.
  std::function<Tensor(int64_t first, int64_t count)> frames;
};

}  // namespace t2v
