#pragma once

#include <string>

#include "media/images/frames.h"
#include "media/libav.h"

namespace t2v {

/// Converts a decoded picture to RGB, exactly but for the rounding of YCbCr: palettes become their colours,
/// grey three equal components, 16 bits their higher 8; transparency is dropped. Error (kInput), which begins
/// with `doing`, for floating-point pixels.
Frames to_image(const AVFrame& picture, const std::string& doing);

}  // namespace t2v
