#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "media/images/frames.h"
#include "media/images/image_resize.h"

namespace t2v {

/// Properties of a video file, in the words of libav and ffprobe.
struct VideoInfo {
  std::string codec, pixel_format;                                   ///< "h264", "yuv420p"
  std::string color_range, color_space, color_primaries, color_trc;  ///< "tv", "bt709", "bt709", "bt709"
  std::string chroma_location;                                       ///< "left"
  int64_t width = 0, height = 0;                                     ///< pixels, as stored
  double fps = 0;
  double duration = 0;       ///< seconds; 0: the container does not say
  std::string comment = {};  ///< of the container; empty: none
};

/// Reads the first video stream of a file, frame by frame. Errors (kInput) begin with the path.
class VideoReader {
 public:
  explicit VideoReader(const std::filesystem::path& file);
  /// Reads an open file; errors call it `name`. The descriptor must outlive this.
  VideoReader(int descriptor, const std::string& name);
  ~VideoReader();
  VideoReader(const VideoReader&) = delete;
  VideoReader& operator=(const VideoReader&) = delete;

  const VideoInfo& info() const;
  /// Decodes the next frame; false after the last one. Error if the decoder notices damage.
  bool next();
  /// How the colour of several pixels that is stored once is given to each of them.
  enum class Chroma {
    kInterpolated,
    kRepeated,  ///< ffmpeg's default, which the reference uses: equal bit for bit
  };
  /// The number of frames that are left, without decoding them. Error if one is not there to its last byte.
  int64_t count_rest();
  /// The frame that next() decoded, in RGB and upright; count is 1. The file names its colour space; YUV
  /// without a name is BT.601 of limited range.
  Frames frame(Chroma chroma = Chroma::kInterpolated) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Reads the first frames of a video file, at most `most_frames`, with the colours of diffusers' load_video.
/// Each is resized with kLanczos as it is read; `size_of` maps the first frame's size to the new size. Memory
/// is that of the resized frames. Error (kInput).
Frames read_video(const std::filesystem::path& file, int64_t most_frames,
                  const std::function<ImageSize(ImageSize)>& size_of);

}  // namespace t2v
