#pragma once

#include <filesystem>

#include "media/images/frames.h"

namespace t2v {

/// Reads the first picture of a PNG, JPEG, WebP or BMP file; the first bytes tell the format. The result
/// equals diffusers' load_image: turned by the EXIF orientation, transparency dropped without blending, grey
/// and palettes as colours, 16 bits cut to the higher 8 (PIL instead makes 16-bit grey white). JPEG and lossy
/// WebP differ from PIL by at most 3 levels, 0.05 on average. `count` is 1. Error (kInput) for another
/// format, damage, more than kMostPixels.
Frames read_image(const std::filesystem::path& file);

}  // namespace t2v
