#include "media/png_encoder.h"

#include <algorithm>
#include <utility>

#include "media/libav.h"

namespace t2v {

struct PngEncoder::Parts {
  std::string doing;
  CodecPtr codec;
  FramePtr frame;
  PacketPtr packet;
};

PngEncoder::PngEncoder(int64_t width, int64_t height, std::string doing)
    : parts_(std::make_unique<Parts>(
          Parts{.doing = std::move(doing),
                .codec = {},
                .frame = make_frame(AV_PIX_FMT_RGB24, static_cast<int>(width), static_cast<int>(height)),
                .packet = PacketPtr(allocated(av_packet_alloc()))})) {
  const AVCodec* encoder = avcodec_find_encoder(AV_CODEC_ID_PNG);
  if (encoder == nullptr)
    throw Error(ErrorCode::kOutput, {.doing = parts_->doing, .got = "an FFmpeg without a PNG encoder"});
  CodecPtr& codec = parts_->codec;
  codec.reset(allocated(avcodec_alloc_context3(encoder)));
  codec->width = parts_->frame->width;
  codec->height = parts_->frame->height;
  codec->pix_fmt = AV_PIX_FMT_RGB24;
  codec->time_base = {1, 1};
  codec->thread_count = 1;  // with more, packets come late
  int result = av_opt_set(codec.get(), "pred", "paeth", AV_OPT_SEARCH_CHILDREN);
  if (result >= 0) result = avcodec_open2(codec.get(), encoder, nullptr);
  if (result < 0) throw libav_error(ErrorCode::kOutput, parts_->doing, result);
}

PngEncoder::~PngEncoder() = default;

std::string PngEncoder::encode(const uint8_t* rgb) {
  AVFrame& frame = *parts_->frame;
  AVPacket& packet = *parts_->packet;
  if (av_frame_make_writable(&frame) < 0) throw std::bad_alloc();
  const auto row = 3 * static_cast<size_t>(frame.width);
  for (int y = 0; y < frame.height; ++y) {
    std::copy_n(rgb + static_cast<size_t>(y) * row, row, frame.data[0] + y * frame.linesize[0]);
  }
  int result = avcodec_send_frame(parts_->codec.get(), &frame);
  if (result >= 0) result = avcodec_receive_packet(parts_->codec.get(), &packet);
  if (result < 0) throw libav_error(ErrorCode::kOutput, parts_->doing, result);
  std::string bytes(reinterpret_cast<const char*>(packet.data), static_cast<size_t>(packet.size));
  av_packet_unref(&packet);
  return bytes;
}

}  // namespace t2v
