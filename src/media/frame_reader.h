#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "media/images/frames.h"

namespace t2v {

/// The frames of a clip one at a time, upright, in RGB. A clip is a video file; one picture, as read_image()
/// takes it; or numbered pictures: their name with %04d (or the like) in place of the number, or the name
/// that t2v was given for them ("clip.png" for clip-0001.png, ...).
class FrameReader {
 public:
  /// Error (kInput).
  explicit FrameReader(const std::filesystem::path& clip);

  /// The next one; nothing after the last. Error (kInput).
  std::optional<Frames> next();
  /// Passes over the next one without converting it; false after the last.
  bool skip();

 private:
  std::function<std::optional<Frames>(bool wanted)> next_;
};

}  // namespace t2v
