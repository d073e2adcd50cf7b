#pragma once

// Helpers around libav for the files of this folder, which alone include it.

#include <cstdint>
#include <memory>
#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/cpu.h>
#include <libavutil/crc.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include "media/images/frames.h"
#include "t2v/error.h"

namespace t2v {

struct LibavDeleter {
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
using CodecPtr = std::unique_ptr<AVCodecContext, LibavDeleter>;
using FramePtr = std::unique_ptr<AVFrame, LibavDeleter>;
using PacketPtr = std::unique_ptr<AVPacket, LibavDeleter>;
using ScalerPtr = std::unique_ptr<SwsContext, LibavDeleter>;

/// Sends libav's messages to our log instead of the terminal. Call it before any other function of libav.
void redirect_libav_log();

/// The Error for a libav call that returned `code`. Throws std::bad_alloc if libav was out of memory.
Error libav_error(ErrorCode kind, const std::string& doing, int code);

/// Returns `pointer`, the result of one of libav's alloc functions. Throws std::bad_alloc if it is null.
template <typename T>
T* allocated(T* pointer) {
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

/// A frame of libav with allocated pixels.
FramePtr make_frame(AVPixelFormat format, int width, int height);

/// The meaning of the numbers in a YUV picture. Defaults: the clips that we write.
struct YuvColors {
  int matrix = SWS_CS_ITU709;
  bool full_range = false;
  bool centered_chroma = false;  ///< else in the left luma column; between two rows in both cases
  bool precise = true;  ///< interpolates chroma and rounds; else fast and rough, which is ffmpeg's default
};

/// A conversion between RGB (full range) and YUV, or between two RGB layouts.
ScalerPtr make_scaler(AVPixelFormat from, AVPixelFormat to, int width, int height,
                      const YuvColors& colors = {});

/// Converts a picture to RGB. Error (kInput) for pixels that swscale does not know.
Frames to_rgb(const AVFrame& picture, const YuvColors& colors, const std::string& doing);

/// Reads and writes libav's bytes through a descriptor, which must outlive this. It keeps its own position,
/// so several can share a descriptor.
class DescriptorIo {
 public:
  enum class Mode { kRead, kWrite, kStream };  ///< kStream: written in order, never seeks

  DescriptorIo(int descriptor, Mode mode);
  ~DescriptorIo();
  DescriptorIo(const DescriptorIo&) = delete;
  DescriptorIo& operator=(const DescriptorIo&) = delete;

  AVIOContext* context() const { return context_; }
  /// The value of errno at the first failed system call; 0: none failed.
  int error() const { return error_; }

 private:
  using WriteBuffer = std::conditional_t<(LIBAVFORMAT_VERSION_MAJOR < 61), uint8_t*, const uint8_t*>;
  static int read(void* self, uint8_t* buffer, int size);
  static int write(void* self, WriteBuffer buffer, int size);
  static int64_t seek(void* self, int64_t offset, int whence);
  int fail();

  int descriptor_;
  Mode mode_;
  int64_t position_ = 0;
  int error_ = 0;
  AVIOContext* context_ = nullptr;
};

}  // namespace t2v
