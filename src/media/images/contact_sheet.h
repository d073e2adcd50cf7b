#pragma once

#include <string>
#include <vector>

#include "media/images/frames.h"

namespace t2v {

/// A picture on a contact sheet, and what is drawn under it: digits, '-' and '.'; other characters are blank.
struct LabelledPicture {
  Frames picture;  ///< count is 1
  std::string label;
};

/// How long a side of a picture may be on a sheet of so many: at most 320 pixels, and less on a full one.
int64_t sheet_picture_side(int64_t pictures);

/// `picture`, shrunk in proportion if a side is longer than that.
Frames shrunk_to(const Frames& picture, int64_t side);

/// One picture of all of them in rows, from left to right, each over its label.
Frames contact_sheet(const std::vector<LabelledPicture>& pictures);

}  // namespace t2v
