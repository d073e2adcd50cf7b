#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "media/images/frames.h"

namespace t2v {

/// Reads the frames of a clip one at a time, upright, in RGB. A clip is a video file, one picture as
/// read_image() takes it, or numbered pictures. The name of numbered pictures has %04d (or the like) in place
/// of the number, or is the output that wrote them: "clip.png" for clip-0001.png, ...
class ClipReader {
 public:
  /// Error (kInput).
  explicit ClipReader(const std::filesystem::path& clip);

  /// The next frame; nothing after the last. Error (kInput).
  std::optional<Frames> next();
  /// Skips the next frame without converting it; false after the last. Error (kInput).
  bool skip();

 private:
  std::function<std::optional<Frames>(bool wanted)> next_;
};

}  // namespace t2v
