#include "media/libav.h"

#include <array>
#include <cerrno>
#include <mutex>
#include <new>

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"

namespace t2v {
namespace {

void forward_log(void* context, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING) return;  // encoders tell their life's story
  std::array<char, 1024> line{};
  int print_prefix = 1;
  av_log_format_line2(context, level, format, arguments, line.data(), line.size(), &print_prefix);
  std::string message = line.data();
  while (!message.empty() && message.back() == '\n') message.pop_back();
  if (!message.empty()) log_verbose(message);
}

}  // namespace

void redirect_libav_log() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(&forward_log); });
}

Error libav_error(ErrorCode kind, const std::string& doing, int code) {
  if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return Error(kind,
               {.doing = doing, .got = std::string("\"") + text.data() + "\"", .advice = "-v shows more"});
}

FramePtr make_frame(AVPixelFormat format, int width, int height) {
  FramePtr frame(allocated(av_frame_alloc()));
  frame->format = format;
  frame->width = width;
  frame->height = height;
  if (av_frame_get_buffer(frame.get(), 0) < 0) throw std::bad_alloc();
  return frame;
}

ScalerPtr make_scaler(AVPixelFormat from, AVPixelFormat to, int width, int height, const YuvColors& colors) {
  ScalerPtr scaler(allocated(sws_alloc_context()));
  const auto set = [&scaler](const char* name, int64_t value) {
    const int result = av_opt_set_int(scaler.get(), name, value, 0);
    if (result < 0) throw libav_error(ErrorCode::kBug, std::string("setting swscale's ") + name, result);
  };
  set("srcw", width);
  set("srch", height);
  set("src_format", from);
  set("dstw", width);
  set("dsth", height);
  set("dst_format", to);
  constexpr int kPrecise = SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP | SWS_FULL_CHR_H_INT | SWS_BITEXACT;
  set("sws_flags", SWS_BICUBIC | (colors.precise ? kPrecise : 0));
  // In 256ths of a chroma sample's distance.
  constexpr int kBetween = 128;
  for (const bool source : {true, false}) {
    const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(source ? from : to);
    if ((format->flags & AV_PIX_FMT_FLAG_RGB) != 0 || format->log2_chroma_w == 0) continue;
    if (colors.precise)
      set(source ? "src_h_chr_pos" : "dst_h_chr_pos", colors.centered_chroma ? kBetween : 0);
    if (format->log2_chroma_h != 0) set(source ? "src_v_chr_pos" : "dst_v_chr_pos", kBetween);
  }
  const auto full_range = [&colors](AVPixelFormat format) {
    return (av_pix_fmt_desc_get(format)->flags & AV_PIX_FMT_FLAG_RGB) != 0 || colors.full_range ? 1 : 0;
  };
  const int* matrix = sws_getCoefficients(colors.matrix);
  constexpr int kOne = 1 << 16;
  sws_setColorspaceDetails(scaler.get(), matrix, full_range(from), matrix, full_range(to), /*brightness=*/0,
                           /*contrast=*/kOne, /*saturation=*/kOne);
  const int result = sws_init_context(scaler.get(), nullptr, nullptr);
  if (result < 0) throw libav_error(ErrorCode::kBug, "setting up the conversion of colours", result);
  return scaler;
}

Frames to_rgb(const AVFrame& picture, const YuvColors& colors, const std::string& doing) {
  const auto format = static_cast<AVPixelFormat>(picture.format);
  if (sws_isSupportedInput(format) == 0) {
    const char* name = av_get_pix_fmt_name(format);
    throw Error(ErrorCode::kInput, {.doing = doing,
                                    .got = std::string("pixels of the kind ") + (name ? name : "unknown"),
                                    .expected = "YUV, RGB or grey",
                                    .advice = "convert it: ffmpeg -i IN -pix_fmt yuv420p OUT.mp4"});
  }
  const ScalerPtr scaler = make_scaler(format, AV_PIX_FMT_RGB24, picture.width, picture.height, colors);
  // swscale writes past the end of rows: they need padding.
  const FramePtr padded = make_frame(AV_PIX_FMT_RGB24, picture.width, picture.height);
  const int result = sws_scale(scaler.get(), picture.data, picture.linesize, 0, picture.height, padded->data,
                               padded->linesize);
  if (result < 0) throw libav_error(ErrorCode::kInput, doing, result);

  Frames frames{.count = 1, .height = picture.height, .width = picture.width, .rgb = {}};
  frames.rgb.reserve(static_cast<size_t>(3 * frames.height * frames.width));
  for (int y = 0; y < picture.height; ++y) {
    const uint8_t* row = padded->data[0] + y * padded->linesize[0];
    frames.rgb.insert(frames.rgb.end(), row, row + 3 * frames.width);
  }
  return frames;
}

DescriptorIo::DescriptorIo(int descriptor, Mode mode) : descriptor_(descriptor), mode_(mode) {
  constexpr int kBufferSize = 1 << 16;
  auto* buffer = static_cast<uint8_t*>(allocated(av_malloc(kBufferSize)));
  const bool writes = mode != Mode::kRead;
  context_ = avio_alloc_context(
      buffer, kBufferSize, writes ? 1 : 0, this, writes ? nullptr : &DescriptorIo::read,
      writes ? &DescriptorIo::write : nullptr, mode == Mode::kStream ? nullptr : &DescriptorIo::seek);
  if (context_ == nullptr) {
    av_free(buffer);
    throw std::bad_alloc();
  }
}

DescriptorIo::~DescriptorIo() {
  av_freep(&context_->buffer);
  avio_context_free(&context_);
}

int DescriptorIo::fail() {
  if (error_ == 0) error_ = errno;
  return AVERROR(error_);
}

int DescriptorIo::read(void* self, uint8_t* buffer, int size) {
  auto& io = *static_cast<DescriptorIo*>(self);
  for (;;) {
    const ssize_t count = ::pread(io.descriptor_, buffer, static_cast<size_t>(size), io.position_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io.fail();
    io.position_ += count;
    return count == 0 ? AVERROR_EOF : static_cast<int>(count);
  }
}

int DescriptorIo::write(void* self, WriteBuffer buffer, int size) {
  auto& io = *static_cast<DescriptorIo*>(self);
  int done = 0;
  while (done < size) {
    const auto rest = static_cast<size_t>(size - done);
    const ssize_t count = io.mode_ == Mode::kStream
                              ? ::write(io.descriptor_, buffer + done, rest)
                              : ::pwrite(io.descriptor_, buffer + done, rest, io.position_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {  // somebody made our standard output non-blocking
      pollfd waiting{.fd = io.descriptor_, .events = POLLOUT, .revents = 0};
      ::poll(&waiting, 1, -1);
      continue;
    }
    if (count < 0) return io.fail();
    io.position_ += count;
    done += static_cast<int>(count);
  }
  return size;
}

int64_t DescriptorIo::seek(void* self, int64_t offset, int whence) {
  auto& io = *static_cast<DescriptorIo*>(self);
  struct stat status {};
  if (::fstat(io.descriptor_, &status) != 0) return io.fail();
  switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
      return status.st_size;
    case SEEK_SET:
      io.position_ = offset;
      break;
    case SEEK_CUR:
      io.position_ += offset;
      break;
    case SEEK_END:
      io.position_ = status.st_size + offset;
      break;
    default:
      return AVERROR(EINVAL);
  }
  return io.position_;
}

}  // namespace t2v
