#include "media/png_encoder.h"

#include <algorithm>
#include <utility>

namespace t2v {

PngEncoder::PngEncoder(int64_t width, int64_t height, std::string doing)
    : doing_(std::move(doing)),
      frame_(make_frame(AV_PIX_FMT_RGB24, static_cast<int>(width), static_cast<int>(height))),
      packet_(allocated(av_packet_alloc())) {
  const AVCodec* encoder = avcodec_find_encoder(AV_CODEC_ID_PNG);
  if (encoder == nullptr)
    throw Error(ErrorCode::kOutput, {.doing = doing_, .got = "an FFmpeg without a PNG encoder"});
  codec_.reset(allocated(avcodec_alloc_context3(encoder)));
  codec_->width = frame_->width;
  codec_->height = frame_->height;
  codec_->pix_fmt = AV_PIX_FMT_RGB24;
  codec_->time_base = {1, 1};
  codec_->thread_count = 1;  // with more, packets come late
  int result = av_opt_set(codec_.get(), "pred", "paeth", AV_OPT_SEARCH_CHILDREN);
  if (result >= 0) result = avcodec_open2(codec_.get(), encoder, nullptr);
  if (result < 0) throw libav_error(ErrorCode::kOutput, doing_, result);
}

std::string PngEncoder::encode(const uint8_t* rgb) {
  if (av_frame_make_writable(frame_.get()) < 0) throw std::bad_alloc();
  const auto row = 3 * static_cast<size_t>(frame_->width);
  for (int y = 0; y < frame_->height; ++y) {
    std::copy_n(rgb + static_cast<size_t>(y) * row, row, frame_->data[0] + y * frame_->linesize[0]);
  }
  int result = avcodec_send_frame(codec_.get(), frame_.get());
  if (result >= 0) result = avcodec_receive_packet(codec_.get(), packet_.get());
  if (result < 0) throw libav_error(ErrorCode::kOutput, doing_, result);
  std::string bytes(reinterpret_cast<const char*>(packet_->data), static_cast<size_t>(packet_->size));
  av_packet_unref(packet_.get());
  return bytes;
}

}  // namespace t2v
