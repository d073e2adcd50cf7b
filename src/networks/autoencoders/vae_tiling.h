#pragma once

#include <functional>

#include "tensors/tensor.h"

namespace t2v {

/// How diffusers' enable_tiling() cuts frames up: squares of `tile` pixels whose corners are `stride` pixels
/// apart, blended where they overlap. The result is not that of the whole frame.
struct VaeTiling {
  int64_t tile = 256, stride = 192;
  /// Called after each latent frame of each tile with how many of how many are done. May throw to stop.
  std::function<void(int64_t done, int64_t total)> on_progress = {};
};

/// A rectangle of a frame.
struct TileArea {
  int64_t top, left, height, width;
};

/// Tiles of a frame, and what becomes of them: lengths are those of what goes in, except for `overlap`.
struct TileGrid {
  int64_t height, width;  ///< of the whole
  int64_t tile, stride;
  int64_t numerator, denominator;  ///< what comes out is numerator / denominator times as long
  int64_t overlap;                 ///< how much of what comes out is blended

  int64_t count() const;  ///< how many tiles there are
  int64_t scaled(int64_t length) const { return length * numerator / denominator; }
};

/// Runs each tile, row by row, and blends the results, [..., h, w], into one tensor. (diffusers: tiled_decode
/// and tiled_encode of an autoencoder.)
Tensor join_tiles(const TileGrid& grid, const std::function<Tensor(const TileArea&)>& run);

}  // namespace t2v
