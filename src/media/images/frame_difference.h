#pragma once

#include <cstdint>
#include <optional>

#include "media/images/frames.h"

namespace t2v {

/// The difference between two pictures.
struct FrameDifference {
  double squared_error = 0;  ///< mean over all pixels and colours, in levels squared
  int64_t largest = 0;       ///< levels
  /// Structural similarity, at most 1, of BT.709 luma, mean over all windows of 11x11 pixels inside the
  /// picture (weights: Gaussian, sigma 1.5); empty for a picture with a side below 11. Wang et al., "Image
  /// quality assessment: from error visibility to structural similarity", 2004.
  std::optional<double> ssim;
};

/// Compares the first picture of `a` with the first of `b`, which have the same size.
FrameDifference frame_difference(const Frames& a, const Frames& b);

}  // namespace t2v
