#pragma once

#include <optional>
#include <vector>

#include "media/images/frames.h"

namespace t2v {

/// The pictures and clips that a request names, decoded.
struct VisualInputs {
  std::optional<Frames> image, end_image;  ///< as they are in the files
  /// Of one size, that of control_video_size(), and one length.
  std::optional<Frames> control_video, control_mask;
  std::vector<Frames> reference_images;  ///< as they are in the files
};

}  // namespace t2v
