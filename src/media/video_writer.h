#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "media/images/frames.h"

namespace t2v {

/// What one clip is, and how it is encoded.
struct VideoSettings {
  int64_t width = 0;                ///< pixels; even where chroma has half the resolution
  int64_t height = 0;               ///< pixels; even where chroma has half the resolution
  double fps = 0;                   ///< 0.01 to 1000; 23.976 and its like mean 24000/1001
  std::string quality = "good";     ///< one of quality_names()
  std::optional<int64_t> crf = {};  ///< overrides quality, on the scale of the codec; 0 is best
  std::string codec = {};           ///< one of codec_names(); empty: the container's
  std::string pix_fmt = {};         ///< one of pix_fmt_names(); empty: the codec's
  std::string comment =
      {};  ///< the settings as JSON, kept in the clip or, for PNG files, beside it; empty: none
  int64_t frame_count = 0;                  ///< how many frames will be written
  bool overwrite = false;                   ///< replace an output that exists
  const std::atomic<bool>* stop = nullptr;  ///< when true, who waits for the reader of a FIFO throws Stopped
};

/// One clip being written. Memory does not grow with its length, except for a GIF, whose colours are chosen
/// when all are known. Destroyed before publish(), it leaves
/// nothing behind and what had its name untouched; only streams (is_stream) show what was written so far.
class VideoWriter {
 public:
  virtual ~VideoWriter() = default;

  /// Appends frames of the size in the settings. Error (kOutput) if they cannot be encoded or written.
  virtual void write(const Frames& frames) = 0;

  /// Finishes the clip, brings it to the disk, reads it back and gives it its name. Call once, after
  /// frame_count frames. Error (kOutput) if any of that fails, (kUsage) if the name was taken meanwhile.
  virtual void publish() = 0;
};

/// A writer for `output`, whose name chooses the container. Errors as check_output, and kOutput.
/// Made before the frames are there it finds a missing encoder early; on a FIFO it waits for a reader.
std::unique_ptr<VideoWriter> make_video_writer(const std::filesystem::path& output,
                                               const VideoSettings& settings);

/// Tells before there are frames whether this machine's FFmpeg can encode them. Error (kOutput, kUsage).
void expect_encoder(const std::filesystem::path& output, const VideoSettings& settings);

}  // namespace t2v
