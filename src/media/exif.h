#pragma once

#include <string_view>

#include "media/images/frames.h"

namespace t2v {

/// How the picture in a JPEG, PNG or WebP file is to be turned, 1 (not at all) to 8, as its EXIF data
/// says; 1 if it says nothing, or something else.
int exif_orientation(std::string_view file);

/// Every frame turned and mirrored so that what was stored with this orientation stands upright. (PIL
/// ImageOps.exif_transpose.)
Frames stand_upright(Frames frames, int orientation);

}  // namespace t2v
