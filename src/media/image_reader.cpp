#include "media/image_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "media/images/exif.h"
#include "media/libav.h"

namespace t2v {
namespace {

using Line = std::vector<uint8_t>;

const AVPixFmtDescriptor& format_of(const AVFrame& picture) {
  return *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format));
}

Frames blank(const AVFrame& picture) {
  Frames image{.count = 1, .height = picture.height, .width = picture.width, .rgb = {}};
  image.rgb.resize(static_cast<size_t>(3 * image.height * image.width));
  return image;
}

/// The first `count` values in a row of one component, in 8 bits.
Line read_component(const AVFrame& picture, int row, int component, int count) {
  const AVPixFmtDescriptor& format = format_of(picture);
  const int depth = format.comp[component].depth;
  std::vector<uint16_t> stored(static_cast<size_t>(count));
  av_read_image_line2(stored.data(), const_cast<const uint8_t**>(picture.data), picture.linesize, &format, 0,
                      row, component, count, /*read_pal_component=*/0, sizeof(uint16_t));
  Line line(stored.size());
  std::transform(stored.begin(), stored.end(), line.begin(), [depth](int value) {
    return static_cast<uint8_t>(depth >= 8 ? value >> (depth - 8) : value * 255 / ((1 << depth) - 1));
  });
  return line;
}

/// A palette's colours, straight from what it stores: 32-bit numbers of alpha, red, green, blue.
Frames from_palette(const AVFrame& picture) {
  Frames image = blank(picture);
  const auto* palette = reinterpret_cast<const uint32_t*>(picture.data[1]);
  uint8_t* pixel = image.rgb.data();
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const uint32_t color = palette[picture.data[0][y * picture.linesize[0] + x]];
      for (const int shift : {16, 8, 0}) *pixel++ = static_cast<uint8_t>(color >> shift);
    }
  }
  return image;
}

/// Grey or RGB components of any layout.
Frames from_components(const AVFrame& picture) {
  const bool grey = format_of(picture).nb_components < 3, inverted = picture.format == AV_PIX_FMT_MONOWHITE;
  Frames image = blank(picture);
  uint8_t* row = image.rgb.data();
  for (int y = 0; y < picture.height; ++y, row += 3 * image.width) {
    for (int c = 0; c < 3; ++c) {
      const Line line = read_component(picture, y, grey ? 0 : c, picture.width);
      for (int64_t x = 0; x < image.width; ++x)
        row[3 * x + c] = inverted ? static_cast<uint8_t>(255 - line[x]) : line[x];
    }
  }
  return image;
}

/// The chroma of row y at every pixel. Where its resolution is half, a pixel takes three quarters of the
/// sample it lies in and one of the next nearest, rounded as libjpeg does it.
Line read_chroma(const AVFrame& picture, int y, int component) {
  const int shift_x = format_of(picture).log2_chroma_w, shift_y = format_of(picture).log2_chroma_h;
  const int width = AV_CEIL_RSHIFT(picture.width, shift_x), height = AV_CEIL_RSHIFT(picture.height, shift_y);
  const int near = y >> shift_y, next = shift_y == 1 ? (y % 2 == 0 ? near - 1 : near + 1) : near;
  const Line line = read_component(picture, near, component, width);
  const Line neighbor = read_component(picture, std::clamp(next, 0, height - 1), component, width);
  const auto sum = [&](int x) {
    x = std::clamp(x, 0, width - 1);
    return shift_y == 1 ? 3 * line[x] + neighbor[x] : line[x];
  };
  Line chroma(static_cast<size_t>(picture.width));
  for (int x = 0; x < picture.width; ++x) {
    const int at = x >> shift_x;
    int value = sum(at);
    if (shift_x == 1) {
      value = 3 * value + sum(x % 2 == 0 ? at - 1 : at + 1);
      value = shift_y == 1 ? (value + 8 - x % 2) >> 4 : (value + 1 + x % 2) >> 2;
    } else if (shift_y == 1) {
      value = (value + 1 + y % 2) >> 2;
    }
    chroma[x] = static_cast<uint8_t>(value);
  }
  return chroma;
}

/// JPEG, which is of full range, and lossy WebP, which is not: both BT.601 with chroma amid its pixels.
Frames from_ycbcr(const AVFrame& picture) {
  const bool full_range = picture.color_range == AVCOL_RANGE_JPEG;
  const float luma_scale = full_range ? 1.0F : 255.0F / 219, chroma_scale = full_range ? 1.0F : 255.0F / 224;
  const float black = full_range ? 0.0F : 16.0F;
  Frames image = blank(picture);
  uint8_t* pixel = image.rgb.data();
  for (int y = 0; y < picture.height; ++y) {
    const Line luma = read_component(picture, y, 0, picture.width);
    const Line blue = read_chroma(picture, y, 1), red = read_chroma(picture, y, 2);
    for (int x = 0; x < picture.width; ++x) {
      const float level = (static_cast<float>(luma[x]) - black) * luma_scale;
      const float cb = (static_cast<float>(blue[x]) - 128) * chroma_scale;
      const float cr = (static_cast<float>(red[x]) - 128) * chroma_scale;
      for (const float value :
           {level + 1.402F * cr, level - 0.344136F * cb - 0.714136F * cr, level + 1.772F * cb}) {
        *pixel++ = static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L));
      }
    }
  }
  return image;
}

/// Converts a decoded picture to RGB, exactly but for the rounding of YCbCr: palettes become their colours,
/// grey three equal components, 16 bits their higher 8; transparency is dropped. Error (kInput), which begins
/// with `doing`, for floating-point pixels.
Frames to_image(const AVFrame& picture, const std::string& doing) {
  const AVPixFmtDescriptor& format = format_of(picture);
  if ((format.flags & (AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_HWACCEL)) != 0) {
    throw Error(ErrorCode::kInput, {.doing = doing,
                                    .got = std::string("numbers of the kind ") + format.name,
                                    .expected = "8 or 16 bits"});
  }
  if ((format.flags & AV_PIX_FMT_FLAG_PAL) != 0) return from_palette(picture);
  if ((format.flags & AV_PIX_FMT_FLAG_RGB) != 0 || format.nb_components < 3) return from_components(picture);
  return from_ycbcr(picture);
}

constexpr int64_t kLargestFile = int64_t{1} << 30;

struct Format {
  AVCodecID codec;
  std::string_view begins;
};
/// Not TIFF, some of which libav decodes in wrong colours.
constexpr std::array<Format, 4> kFormats{{{AV_CODEC_ID_PNG, "\x89PNG\r\n\x1A\n"},
                                          {AV_CODEC_ID_MJPEG, "\xFF\xD8\xFF"},
                                          {AV_CODEC_ID_WEBP, "RIFF"},
                                          {AV_CODEC_ID_BMP, "BM"}}};

AVCodecID codec_of(const std::string& bytes, const std::string& doing) {
  for (const Format& format : kFormats) {
    if (bytes.starts_with(format.begins)) return format.codec;
  }
  throw Error(ErrorCode::kInput,
              {.doing = doing,
               .got = bytes.empty() ? "an empty file" : "something that is no image t2v knows",
               .expected = "a PNG, JPEG, WebP or BMP file"});
}

/// Decodes the one picture of a file in memory.
FramePtr decode(std::string bytes, const std::string& doing) {
  const auto check = [&doing](int result) {
    if (result == AVERROR_INVALIDDATA || result == AVERROR_EOF)
      throw Error(ErrorCode::kInput, {.doing = doing,
                                      .got = "a damaged picture or a part of one",
                                      .expected = "a whole one",
                                      .advice = "-v shows more"});
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

}  // namespace

Frames read_image(const std::filesystem::path& file) {
  redirect_libav_log();
  const std::string doing = "reading " + file.string();
  const std::string bytes = read_file(file, kLargestFile);
  const FramePtr frame = decode(bytes, doing);
  return stand_upright(to_image(*frame, doing), exif_orientation(bytes));
}

}  // namespace t2v
