#pragma once

// What the files of this folder share of libav. Nothing outside it includes this.

#include <cstdint>
#include <filesystem>
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

/// Sends what libav prints on the terminal to our log instead. Called before anything of libav.
void redirect_libav_log();

/// The Error for a libav call that returned `code`. std::bad_alloc if it was out of memory.
Error libav_error(ErrorCode kind, const std::string& doing, int code);

/// `pointer`; std::bad_alloc if it is null, which for libav's alloc functions means just that.
template <typename T>
T* allocated(T* pointer) {
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

/// The encoder's or decoder's idea of one frame of `format`, with its pixels allocated.
FramePtr make_frame(AVPixelFormat format, int width, int height);

/// What the numbers of a YUV picture stand for; the default is what we write.
struct YuvColors {
  int matrix = SWS_CS_ITU709;
  bool full_range = false;
  bool centered_chroma = false;  ///< else on the left luma column; vertically between two rows in both cases
  bool precise = true;  ///< interpolates chroma and rounds; else fast and rough, as ffmpeg does unless told
};

/// A conversion between RGB (full range) and YUV, or between two RGB layouts.
ScalerPtr make_scaler(AVPixelFormat from, AVPixelFormat to, int width, int height,
                      const YuvColors& colors = {});

/// The picture in RGB. Error (kInput) for pixels that swscale does not know.
Frames to_rgb(const AVFrame& picture, const YuvColors& colors, const std::string& doing);

/// libav's bytes in a descriptor of ours, which must outlive this. Keeps its own position, so that several
/// can share one.
class DescriptorIo {
 public:
  enum class Mode { kRead, kWrite, kStream };  ///< kStream: written in order, never sought in

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
