#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "media/images/frames.h"

namespace t2v {

/// Size, length and encoding of one clip.
struct ClipSettings {
  int64_t width = 0, height = 0;    ///< pixels; even where chroma has half the resolution
  double fps = 0;                   ///< 0.01 to 1000; 23.976 and its like mean 24000/1001
  std::string quality = "good";     ///< one of quality_names()
  std::optional<int64_t> crf = {};  ///< replaces quality, on the codec's own scale; 0 is best
  std::string codec = {};           ///< one of codec_names(); empty: the container's
  std::string pix_fmt = {};         ///< one of pix_fmt_names(); empty: the codec's
  std::string comment = {};         ///< the settings as JSON, in the clip or beside PNG files; empty: none
  int64_t frame_count = 0;          ///< number of frames of the whole clip
  bool overwrite = false;           ///< replace an output that exists
  const std::atomic<bool>* stop = nullptr;  ///< while a FIFO has no reader: true throws Stopped
};

/// Writes one clip. Memory does not grow with the clip's length, except for a GIF, whose colours are chosen
/// from all frames. Without publish() no file appears, and an old file of that name stays; only streams
/// (is_stream) have received the frames so far.
class ClipWriter {
 public:
  virtual ~ClipWriter() = default;

  /// Appends frames of the size in the settings. Error (kOutput) if they cannot be encoded or written.
  virtual void write(const Frames& frames) = 0;

  /// Finishes the clip, syncs it to the disk, reads it back and gives it its name. Call once, after
  /// frame_count frames. Error (kOutput) if a step fails, (kUsage) if the name was taken meanwhile.
  virtual void publish() = 0;
};

/// A writer for `output`, whose extension chooses the container. It waits until a FIFO has a reader. Errors
/// as check_output(); Error (kOutput), also for a missing encoder.
std::unique_ptr<ClipWriter> make_clip_writer(const std::filesystem::path& output,
                                             const ClipSettings& settings);

/// Checks, before there are frames, that this machine's FFmpeg can encode them. Error (kOutput, kUsage).
void expect_encoder(const std::filesystem::path& output, const ClipSettings& settings);

/// The libraries of FFmpeg that this process uses: "libavcodec 59.37.100, libavformat 59.27.100, ...".
std::string libav_versions();

}  // namespace t2v
