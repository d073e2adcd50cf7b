#pragma once

#include <optional>
#include <vector>

#include "media/images/frames.h"

namespace t2v {

/// The decoded pictures and videos of a request.
struct VisualInputs {
  std::optional<Frames> image, end_image;  ///< in the size of the file
  /// Both have the size control_video_size() and the same length.
  std::optional<Frames> control_video, control_mask;
  std::vector<Frames> reference_images;  ///< in the size of the file
};

}  // namespace t2v
