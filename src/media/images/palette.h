#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "media/images/frames.h"

namespace t2v {

using Color = std::array<uint8_t, 3>;  ///< red, green, blue

/// The colours that represent a clip best, and the mapping of pixels to them.
class Palette {
 public:
  /// Chooses at most `largest` colours. A clip with no more colours keeps them all; else the colours are the
  /// means of the boxes of Heckbert's median cut, which cuts at the mean of the widest side.
  Palette(const std::vector<Frames>& clip, int64_t largest);

  const std::vector<Color>& colors() const { return colors_; }
  /// The index of the nearest colour of the palette.
  uint8_t nearest(const Color& color);
  /// Maps one frame, [height][width][3], to indices, [height][width]. The error of each pixel goes to its
  /// neighbours (Floyd and Steinberg's error diffusion).
  std::vector<uint8_t> dither(const uint8_t* rgb, int64_t height, int64_t width);

 private:
  std::vector<Color> colors_;
  std::vector<int16_t> nearest_;  ///< index for each of the 2^24 colours; -1: not computed yet
};

}  // namespace t2v
