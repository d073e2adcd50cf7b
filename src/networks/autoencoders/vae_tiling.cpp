#include "networks/autoencoders/vae_tiling.h"

#include <algorithm>
#include <vector>

namespace t2v {
namespace {

/// Fades from the end of `before` along `axis` into the beginning of `tile`, in place.
void blend(const Tensor& before, const Tensor& tile, int64_t axis, int64_t overlap) {
  const int64_t extent = std::min({before.size(axis), tile.size(axis), overlap});
  const Tensor rise = at::arange(extent, at::kDouble) / extent;
  const auto weights = [&](const Tensor& values) {
    const Tensor column = axis == -2 ? values.unsqueeze(-1) : values;
    return column.to(tile.device(), tile.scalar_type());
  };
  const Tensor seam = tile.narrow(axis, 0, extent);
  const Tensor end = before.narrow(axis, before.size(axis) - extent, extent);
  seam.copy_(end * weights(1 - rise) + seam * weights(rise));
}

/// The last part of a blended tile along `axis`, which overlaps the next tile.
Tensor end_of(const Tensor& tile, int64_t axis, int64_t overlap) {
  const int64_t extent = std::min(tile.size(axis), overlap);
  return tile.narrow(axis, tile.size(axis) - extent, extent).clone();
}

int64_t tiles_along(int64_t length, int64_t stride) { return (length + stride - 1) / stride; }

}  // namespace

int64_t TileGrid::count() const { return tiles_along(height, stride) * tiles_along(width, stride); }

Tensor join_tiles(const TileGrid& grid, const std::function<Tensor(const TileArea&)>& run) {
  Tensor joined;
  std::vector<Tensor> above;  // the lower ends of the tiles of the row above
  for (int64_t top = 0; top < grid.height; top += grid.stride) {
    std::vector<Tensor> row;
    Tensor left_end;
    for (int64_t left = 0; left < grid.width; left += grid.stride) {
      const Tensor tile =
          run({top, left, std::min(grid.tile, grid.height - top), std::min(grid.tile, grid.width - left)});
      if (top > 0) blend(above[row.size()], tile, -2, grid.overlap);
      if (left > 0) blend(left_end, tile, -1, grid.overlap);
      left_end = end_of(tile, -1, grid.overlap);
      row.push_back(end_of(tile, -2, grid.overlap));

      if (!joined.defined()) {
        std::vector<int64_t> shape = tile.sizes().vec();
        shape[shape.size() - 2] = grid.scaled(grid.height);
        shape[shape.size() - 1] = grid.scaled(grid.width);
        joined = at::empty(shape, tile.options());
      }
      const int64_t height = grid.scaled(std::min(grid.stride, grid.height - top));
      const int64_t width = grid.scaled(std::min(grid.stride, grid.width - left));
      joined.narrow(-2, grid.scaled(top), height)
          .narrow(-1, grid.scaled(left), width)
          .copy_(tile.narrow(-2, 0, height).narrow(-1, 0, width));
    }
    above = std::move(row);
  }
  return joined;
}

}  // namespace t2v
