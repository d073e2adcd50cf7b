#pragma once

#include <string>

#include "media/images/frames.h"
#include "media/libav.h"

namespace t2v {

/// A still picture in RGB, exactly but for the rounding of YCbCr: palettes as their colours, grey as three
/// equal components, the higher 8 of 16 bits, transparency dropped. `doing` is for the Error (kInput) for
/// floating-point numbers.
Frames to_image(const AVFrame& picture, const std::string& doing);

}  // namespace t2v
