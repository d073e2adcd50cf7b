#pragma once

#include <filesystem>

#include "media/images/frames.h"

namespace t2v {

/// The picture in a PNG, JPEG, WebP or BMP file (of several the first), told by its first bytes, as
/// diffusers' load_image gives it: turned as its EXIF orientation says, transparency dropped without
/// blending, grey and palettes as colours, 16 bits cut to the higher 8 (PIL instead makes 16-bit grey white).
/// JPEG and lossy WebP are decoded to within 3 levels of PIL, 0.05 on average. `count` is 1. Error (kInput)
/// for another format, damage, more than kMostPixels.
Frames read_image(const std::filesystem::path& file);

}  // namespace t2v
