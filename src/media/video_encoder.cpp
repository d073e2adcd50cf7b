#include "media/video_encoder.h"

#include <cmath>
#include <utility>

namespace t2v {
namespace {

/// How hard x264 works, and how much it keeps.
struct H264Quality {
  const char* preset;
  int64_t crf;
};

H264Quality h264_quality(const std::string& name) {
  if (name == "draft") return {"veryfast", 23};
  if (name == "high") return {"slow", 10};
  return {"medium", 16};
}

// Fixed, because what x264 and FFV1 write depends on it: the same clip on every machine.
constexpr int kThreads = 4;

}  // namespace

AVRational frame_rate(double fps) {
  if (!(fps >= 0.01 && fps <= 1000)) {
    throw Error(ErrorCode::kUsage,
                {.doing = "--fps", .got = std::to_string(fps), .expected = "0.01 to 1000"});
  }
  // NTSC: 24, 30, 48, 60, ... slowed down by 1000/1001, which people write with two or three decimals.
  const double whole = std::round(fps * 1.001);
  if (std::fmod(whole, 3) == 0 && std::abs(fps * 1.001 / whole - 1) < 2e-6) {
    return {static_cast<int>(whole) * 1000, 1001};
  }
  return av_d2q(fps, 1'001'000);
}

VideoEncoder::VideoEncoder(const VideoSettings& settings, std::string doing, bool global_header)
    : doing_(std::move(doing)), packet_(allocated(av_packet_alloc())) {
  const bool lossless = settings.quality == "lossless";
  const char* name = lossless ? "ffv1" : "libx264";
  const AVCodec* encoder = avcodec_find_encoder_by_name(name);
  if (encoder == nullptr) {
    throw Error(ErrorCode::kOutput, {.doing = doing_,
                                     .got = std::string("an FFmpeg without the encoder ") + name,
                                     .advice = "install one that has it, or write a .png sequence"});
  }
  codec_.reset(allocated(avcodec_alloc_context3(encoder)));
  codec_->width = static_cast<int>(settings.width);
  codec_->height = static_cast<int>(settings.height);
  codec_->framerate = frame_rate(settings.fps);
  codec_->time_base = av_inv_q(codec_->framerate);
  codec_->sample_aspect_ratio = {1, 1};
  codec_->color_primaries = AVCOL_PRI_BT709;
  codec_->color_trc = AVCOL_TRC_BT709;
  codec_->thread_count = kThreads;
  if (global_header) codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  lossless ? set_ffv1() : set_h264(settings);
  if (const int result = avcodec_open2(codec_.get(), encoder, nullptr); result < 0) {
    throw libav_error(ErrorCode::kOutput, doing_, result);
  }
  frame_ = make_frame(codec_->pix_fmt, codec_->width, codec_->height);
  frame_->color_range = codec_->color_range;
  frame_->colorspace = codec_->colorspace;
  frame_->color_primaries = codec_->color_primaries;
  frame_->color_trc = codec_->color_trc;
  frame_->chroma_location = codec_->chroma_sample_location;
  frame_->pts = 0;
  scaler_ = make_scaler(AV_PIX_FMT_RGB24, codec_->pix_fmt, codec_->width, codec_->height);
}

void VideoEncoder::set_h264(const VideoSettings& settings) {
  if (settings.width % 2 != 0 || settings.height % 2 != 0) {
    throw Error(ErrorCode::kUsage,
                {.doing = doing_,
                 .got = std::to_string(settings.width) + "x" + std::to_string(settings.height) + " pixels",
                 .expected = "an even width and height for H.264",
                 .advice = "or use --quality lossless with .mkv"});
  }
  codec_->pix_fmt = AV_PIX_FMT_YUV420P;
  codec_->color_range = AVCOL_RANGE_MPEG;
  codec_->colorspace = AVCOL_SPC_BT709;
  codec_->chroma_sample_location = AVCHROMA_LOC_LEFT;
  const H264Quality quality = h264_quality(settings.quality);
  const int64_t crf = settings.crf.value_or(quality.crf);
  set_option("preset", quality.preset);
  set_option("crf", std::to_string(crf));
  if (crf > 0) set_option("profile", "high");  // 0 is lossless, which High cannot hold
}

void VideoEncoder::set_ffv1() {
  codec_->pix_fmt = AV_PIX_FMT_0RGB32;
  codec_->color_range = AVCOL_RANGE_JPEG;
  codec_->colorspace = AVCOL_SPC_RGB;
  codec_->level = 3;  // the version with checksums
  codec_->gop_size = 1;
  codec_->slices = kThreads;
  set_option("slicecrc", "1");
}

void VideoEncoder::set_option(const char* name, const std::string& value) {
  const int result = av_opt_set(codec_.get(), name, value.c_str(), AV_OPT_SEARCH_CHILDREN);
  if (result < 0) throw libav_error(ErrorCode::kOutput, doing_ + ": setting " + name, result);
}

void VideoEncoder::encode(const uint8_t* rgb, const OnPacket& on_packet) {
  // The encoder may still look at the pixels of the frame before.
  if (av_frame_make_writable(frame_.get()) < 0) throw std::bad_alloc();
  const int stride = 3 * codec_->width;
  const int rows = sws_scale(scaler_.get(), &rgb, &stride, 0, codec_->height, frame_->data, frame_->linesize);
  if (rows < 0) throw libav_error(ErrorCode::kOutput, doing_ + ": converting colours", rows);
  send(frame_.get(), on_packet);
  ++frame_->pts;
}

void VideoEncoder::finish(const OnPacket& on_packet) { send(nullptr, on_packet); }

void VideoEncoder::send(const AVFrame* frame, const OnPacket& on_packet) {
  int result = avcodec_send_frame(codec_.get(), frame);
  while (result >= 0) {
    result = avcodec_receive_packet(codec_.get(), packet_.get());
    if (result < 0) break;
    packet_->duration = 1;
    on_packet(*packet_);
    av_packet_unref(packet_.get());
  }
  if (result != AVERROR(EAGAIN) && result != AVERROR_EOF)
    throw libav_error(ErrorCode::kOutput, doing_, result);
}

}  // namespace t2v
