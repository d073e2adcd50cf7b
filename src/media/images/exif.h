#pragma once

#include <string_view>

#include "media/images/frames.h"

namespace t2v {

/// The EXIF orientation of a JPEG, PNG or WebP file: 1 (upright) to 8. 1 if the value is missing or invalid.
int exif_orientation(std::string_view file);

/// Turns and mirrors frames that were stored with this orientation, so that they stand upright. (PIL
/// ImageOps.exif_transpose.)
Frames stand_upright(Frames frames, int orientation);

}  // namespace t2v
