#include "media/video_encoder.h"

#include <cmath>
#include <memory>
#include <utility>

#include "core/setting.h"

namespace t2v {
namespace {

// Fixed, because what the encoders write depends on it: the same clip on every machine.
constexpr int kThreads = 4;

VideoEncoder::Convert converter(const AVCodecContext& codec, const std::string& doing) {
  const std::shared_ptr<SwsContext> scaler =
      make_scaler(AV_PIX_FMT_RGB24, codec.pix_fmt, codec.width, codec.height);
  return [scaler, doing](const uint8_t* rgb, AVFrame& picture) {
    const int stride = 3 * picture.width;
    const int rows =
        sws_scale(scaler.get(), &rgb, &stride, 0, picture.height, picture.data, picture.linesize);
    if (rows < 0) throw libav_error(ErrorCode::kOutput, doing + ": converting colours", rows);
  };
}

}  // namespace

AVRational frame_rate(double fps) {
  if (!(fps >= 0.01 && fps <= 1000)) {
    throw Error(ErrorCode::kUsage,
                {.doing = setting("fps"), .got = std::to_string(fps), .expected = "0.01 to 1000"});
  }
  // NTSC: 24, 30, 48, 60, ... slowed down by 1000/1001, which people write with two or three decimals.
  const double whole = std::round(fps * 1.001);
  if (std::fmod(whole, 3) == 0 && std::abs(fps * 1.001 / whole - 1) < 2e-6) {
    return {static_cast<int>(whole) * 1000, 1001};
  }
  return av_d2q(fps, 1'001'000);
}

VideoEncoder::VideoEncoder(const ClipSettings& settings, const ChosenEncoding& encoding, std::string doing,
                           bool global_header, Convert convert)
    : doing_(std::move(doing)), packet_(allocated(av_packet_alloc())), convert_(std::move(convert)) {
  const char* name = codec_named(encoding.codec).encoder;
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
  set_format(encoding);
  set_codec(encoding);
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
  if (!convert_) convert_ = converter(*codec_, doing_);
}

void VideoEncoder::set_format(const ChosenEncoding& encoding) {
  codec_->pix_fmt = encoding.pix_fmt == "bgr0" ? AV_PIX_FMT_0RGB32 : av_get_pix_fmt(encoding.pix_fmt.c_str());
  const AVPixFmtDescriptor& format = *av_pix_fmt_desc_get(codec_->pix_fmt);
  const int rest = (codec_->width & ((1 << format.log2_chroma_w) - 1)) +
                   (codec_->height & ((1 << format.log2_chroma_h) - 1));
  if (rest != 0) {
    throw Error(ErrorCode::kUsage,
                {.doing = doing_,
                 .got = std::to_string(codec_->width) + "x" + std::to_string(codec_->height) + " pixels",
                 .expected = "an even width and height for " + encoding.pix_fmt,
                 .advice = "or use `pix_fmt` yuv444p, or `quality` lossless with .mkv"});
  }
  const bool yuv = (format.flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) == 0;
  codec_->color_range = yuv ? AVCOL_RANGE_MPEG : AVCOL_RANGE_JPEG;
  codec_->colorspace = yuv ? AVCOL_SPC_BT709 : AVCOL_SPC_RGB;
  if (yuv && format.log2_chroma_w != 0) codec_->chroma_sample_location = AVCHROMA_LOC_LEFT;
}

void VideoEncoder::set_codec(const ChosenEncoding& encoding) {
  if (encoding.crf) set_option("crf", std::to_string(*encoding.crf));
  const Quality& quality = quality_named(encoding.quality);
  switch (codec_named(encoding.codec).kind) {
    case CodecKind::kH264:
      set_option("preset", quality.x26x_preset);
      // crf 0 is lossless, which High cannot hold.
      if (codec_->pix_fmt == AV_PIX_FMT_YUV420P && *encoding.crf > 0) set_option("profile", "high");
      // With AVX-512 x264 reads memory that nothing was written to, and the same frames make now this clip,
      // now that. A processor with AVX-512 has AVX2.
      if ((av_get_cpu_flags() & AV_CPU_FLAG_AVX512) != 0) set_option("x264-params", "asm=avx2");
      break;
    case CodecKind::kH265:
      set_option("preset", quality.x26x_preset);
      // It would print on standard error by itself; as many threads as we say, whatever the machine has.
      set_option("x265-params", "log-level=none:frame-threads=1");
      codec_->codec_tag = MKTAG('h', 'v', 'c', '1');  // what Apple's players know it by
      break;
    case CodecKind::kVp9:
      set_option("cpu-used", quality.vp9_cpu_used);
      set_option("tile-columns", "2");
      codec_->bit_rate = 0;  // crf decides alone
      break;
    case CodecKind::kProRes:
      set_option("profile", codec_->pix_fmt == AV_PIX_FMT_YUV444P10 ? "4444" : quality.prores_profile);
      set_option("vendor", "apl0");  // some editors open nothing else
      break;
    case CodecKind::kFfv1:
      codec_->level = 3;  // the version with checksums
      codec_->gop_size = 1;
      codec_->slices = kThreads;
      set_option("slicecrc", "1");
      break;
    case CodecKind::kGif:
    case CodecKind::kPng:
      break;
  }
}

void VideoEncoder::set_option(const char* name, const std::string& value) {
  const int result = av_opt_set(codec_.get(), name, value.c_str(), AV_OPT_SEARCH_CHILDREN);
  if (result < 0) throw libav_error(ErrorCode::kOutput, doing_ + ": setting " + name, result);
}

void VideoEncoder::encode(const uint8_t* rgb, const OnPacket& on_packet) {
  // The encoder may still look at the pixels of the frame before.
  if (av_frame_make_writable(frame_.get()) < 0) throw std::bad_alloc();
  convert_(rgb, *frame_);
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
