#include "media/image_reader.h"

#include <array>
#include <string>
#include <string_view>

#include "core/file.h"
#include "media/exif.h"
#include "media/libav.h"

namespace t2v {
namespace {

constexpr int64_t kLargestFile = int64_t{1} << 30;

struct Format {
  AVCodecID codec;
  std::string_view begins;
};
constexpr std::array<Format, 8> kFormats{{{AV_CODEC_ID_PNG, "\x89PNG\r\n\x1A\n"},
                                          {AV_CODEC_ID_MJPEG, "\xFF\xD8\xFF"},
                                          {AV_CODEC_ID_WEBP, "RIFF"},
                                          {AV_CODEC_ID_BMP, "BM"},
                                          {AV_CODEC_ID_TIFF, {"II*\0", 4}},
                                          {AV_CODEC_ID_TIFF, {"MM\0*", 4}},
                                          {AV_CODEC_ID_GIF, "GIF87a"},
                                          {AV_CODEC_ID_GIF, "GIF89a"}}};

AVCodecID codec_of(const std::string& bytes, const std::string& doing) {
  for (const Format& format : kFormats) {
    if (bytes.starts_with(format.begins)) return format.codec;
  }
  throw Error(ErrorCode::kInput,
              {.doing = doing,
               .got = bytes.empty() ? "an empty file" : "something that is no image t2v knows",
               .expected = "a PNG, JPEG, WebP, BMP, TIFF or GIF file"});
}

/// Decodes the one picture of a file in memory.
FramePtr decode(std::string bytes, const std::string& doing) {
  const auto check = [&doing](int result) {
    if (result < 0) throw libav_error(ErrorCode::kInput, doing, result);
  };
  const AVCodec* decoder = avcodec_find_decoder(codec_of(bytes, doing));
  if (decoder == nullptr) check(AVERROR_DECODER_NOT_FOUND);
  const CodecPtr codec(allocated(avcodec_alloc_context3(decoder)));
  codec->max_pixels = kMostPixels;
  codec->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
  codec->idct_algo = FF_IDCT_INT;  // of libav's the nearest to libjpeg's
  codec->thread_count = 1;
  check(avcodec_open2(codec.get(), decoder, nullptr));

  const PacketPtr packet(allocated(av_packet_alloc()));
  const size_t size = bytes.size();
  bytes.resize(size + AV_INPUT_BUFFER_PADDING_SIZE);
  packet->data = reinterpret_cast<uint8_t*>(bytes.data());
  packet->size = static_cast<int>(size);
  check(avcodec_send_packet(codec.get(), packet.get()));
  check(avcodec_send_packet(codec.get(), nullptr));
  FramePtr frame(allocated(av_frame_alloc()));
  check(avcodec_receive_frame(codec.get(), frame.get()));
  if (frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0)
    check(AVERROR_INVALIDDATA);
  return frame;
}

/// One component of a row, in as many bits as it has.
void read_component(const AVFrame& frame, int row, int component, uint16_t* values) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  av_read_image_line2(values, const_cast<const uint8_t**>(frame.data), frame.linesize, format, 0, row,
                      component, frame.width, /*read_pal_component=*/0, sizeof(uint16_t));
}

/// A palette's colours, straight from what it stores: 32-bit numbers of alpha, red, green, blue.
Frames from_palette(const AVFrame& frame) {
  Frames image{.count = 1, .height = frame.height, .width = frame.width, .rgb = {}};
  const auto* palette = reinterpret_cast<const uint32_t*>(frame.data[1]);
  for (int y = 0; y < frame.height; ++y) {
    for (int x = 0; x < frame.width; ++x) {
      const uint32_t color = palette[frame.data[0][y * frame.linesize[0] + x]];
      for (const int shift : {16, 8, 0}) image.rgb.push_back(static_cast<uint8_t>(color >> shift));
    }
  }
  return image;
}

/// Grey or RGB components of any layout and up to 16 bits.
Frames from_components(const AVFrame& frame) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  const bool grey = format->nb_components < 3, inverted = frame.format == AV_PIX_FMT_MONOWHITE;
  Frames image{.count = 1, .height = frame.height, .width = frame.width, .rgb = {}};
  image.rgb.resize(static_cast<size_t>(3 * image.height * image.width));
  std::vector<uint16_t> values(static_cast<size_t>(frame.width));
  uint8_t* row = image.rgb.data();
  for (int y = 0; y < frame.height; ++y, row += 3 * image.width) {
    for (int c = 0; c < 3; ++c) {
      const int depth = format->comp[grey ? 0 : c].depth;
      read_component(frame, y, grey ? 0 : c, values.data());
      for (int64_t x = 0; x < image.width; ++x) {
        const int value = depth >= 8 ? values[x] >> (depth - 8) : values[x] * 255 / ((1 << depth) - 1);
        row[3 * x + c] = static_cast<uint8_t>(inverted ? 255 - value : value);
      }
    }
  }
  return image;
}

Frames to_image(const AVFrame& frame, const std::string& doing) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  if ((format->flags & AV_PIX_FMT_FLAG_PAL) != 0) return from_palette(frame);
  if ((format->flags & AV_PIX_FMT_FLAG_FLOAT) != 0) {
    throw Error(ErrorCode::kInput, {.doing = doing,
                                    .got = std::string("numbers of the kind ") + format->name,
                                    .expected = "8 or 16 bits"});
  }
  if ((format->flags & AV_PIX_FMT_FLAG_RGB) != 0 || format->nb_components < 3) return from_components(frame);
  // JPEG is of full range, WebP is not; both are BT.601 with chroma between the pixels and widened linearly.
  return to_rgb(frame,
                {.matrix = SWS_CS_ITU601,
                 .full_range = frame.color_range == AVCOL_RANGE_JPEG,
                 .centered_chroma = true,
                 .filter = SWS_BILINEAR},
                doing);
}

}  // namespace

Frames read_image(const std::filesystem::path& file) {
  redirect_libav_log();
  const std::string doing = "reading " + file.string();
  const std::string bytes = read_file(file, kLargestFile);
  const FramePtr frame = decode(bytes, doing);
  return stand_upright(to_image(*frame, doing), exif_orientation(bytes));
}

}  // namespace t2v
