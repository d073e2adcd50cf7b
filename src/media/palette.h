#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "media/images/frames.h"

namespace t2v {

using Color = std::array<uint8_t, 3>;  ///< red, green, blue

/// The colours that suit a clip best.
class Palette {
 public:
  /// At most `largest` colours: all of the frames' where they have no more, else the means of what the cuts
  /// leave (Heckbert's median cut, where the spread is largest, at the mean).
  Palette(const std::vector<Frames>& clip, int64_t largest);

  const std::vector<Color>& colors() const { return colors_; }
  /// The index of the colour nearest to this one.
  uint8_t nearest(const Color& color);
  /// One frame, [height][width][3], in indices, [height][width]: what a pixel loses goes to its neighbours
  /// (Floyd and Steinberg's error diffusion).
  std::vector<uint8_t> dither(const uint8_t* rgb, int64_t height, int64_t width);

 private:
  std::vector<Color> colors_;
  std::vector<int16_t> nearest_;  ///< of each of the 2^24 colours; -1: not looked for yet
};

}  // namespace t2v
