#pragma once

#include <string>
#include <vector>

#include "media/images/frames.h"

namespace t2v {

/// A picture on a contact sheet, and the label under it. Only digits, '-' and '.' are drawn.
struct LabelledPicture {
  Frames picture;  ///< count is 1
  std::string label;
};

/// The longest side of each picture on a sheet of `pictures`: at most 320 pixels, less on a full sheet.
int64_t sheet_picture_side(int64_t pictures);

/// Shrinks a picture in proportion if a side is longer than `side`.
Frames shrunk_to(const Frames& picture, int64_t side);

/// Draws all pictures as one, in rows from left to right, each above its label.
Frames contact_sheet(const std::vector<LabelledPicture>& pictures);

}  // namespace t2v
