#pragma once

#include <functional>

#include "tensors/tensor.h"

namespace t2v {

/// The tiles of diffusers' enable_tiling(): squares of `tile` pixels, `stride` pixels apart, blended where
/// they overlap. The result differs from the result of the whole frame.
struct VaeTiling {
  int64_t tile = 256, stride = 192;
  /// Called after each latent frame of each tile, with the number of finished ones and of all. May throw to
  /// stop.
  std::function<void(int64_t done, int64_t total)> on_progress = {};
};

/// A rectangle of a frame.
struct TileArea {
  int64_t top, left, height, width;
};

/// Tiles of a frame, and their results. Lengths are lengths of the input, except for `overlap`.
struct TileGrid {
  int64_t height, width;  ///< of the whole frame
  int64_t tile, stride;
  int64_t numerator, denominator;  ///< length of the result / length of the input
  int64_t overlap;                 ///< blended length of the result

  int64_t count() const;  ///< number of tiles
  int64_t scaled(int64_t length) const { return length * numerator / denominator; }
};

/// Runs each tile, row by row, and blends the results, [..., h, w], into one tensor. (diffusers: tiled_decode
/// and tiled_encode of an autoencoder.)
Tensor join_tiles(const TileGrid& grid, const std::function<Tensor(const TileArea&)>& run);

}  // namespace t2v
