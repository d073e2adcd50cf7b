#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "media/images/frames.h"
#include "media/images/image_resize.h"

namespace t2v {

/// What a clip says about itself, in libav's (ffprobe's) words.
struct VideoInfo {
  std::string codec, pixel_format;                                   ///< "h264", "yuv420p"
  std::string color_range, color_space, color_primaries, color_trc;  ///< "tv", "bt709", "bt709", "bt709"
  std::string chroma_location;                                       ///< "left"
  int64_t width = 0, height = 0;                                     ///< pixels, as stored
  double fps = 0;
  double duration = 0;       ///< seconds, as the container says; 0: it does not
  std::string comment = {};  ///< the container's comment; empty: none
};

/// Reads the first video stream of a file, frame by frame. Errors (kInput) begin with the path.
class VideoReader {
 public:
  explicit VideoReader(const std::filesystem::path& file);
  /// A file that is open; `name` is what errors call it. The descriptor must outlive this.
  VideoReader(int descriptor, const std::string& name);
  ~VideoReader();
  VideoReader(const VideoReader&) = delete;
  VideoReader& operator=(const VideoReader&) = delete;

  const VideoInfo& info() const;
  /// Decodes the next frame; false after the last one. Damage that the decoder notices is an Error.
  bool next();
  /// How the colours of neighbouring pixels are made that were stored as one.
  enum class Chroma {
    kInterpolated,
    kRepeated,  ///< as ffmpeg does unless told: what the reference sees, bit for bit
  };
  /// How many frames are left, without decoding them: each is there to its last byte, or it is an Error.
  int64_t count_rest();
  /// The frame that next() decoded, as RGB and upright; count is 1. Colours are what the file says they are;
  /// YUV that says nothing is BT.601 of limited range.
  Frames frame(Chroma chroma = Chroma::kInterpolated) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// The first frames of a video file, at most `most_frames`, none left out or repeated, with the colours that
/// diffusers' load_video sees, each resized with kLanczos as it is read to what `size_of` makes of the first
/// one's size. Memory is that of the resized frames. Error (kInput).
Frames read_video(const std::filesystem::path& file, int64_t most_frames,
                  const std::function<ImageSize(ImageSize)>& size_of);

}  // namespace t2v
