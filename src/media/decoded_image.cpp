#include "media/decoded_image.h"

#include <algorithm>
#include <cmath>
#include <vector>

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

}  // namespace

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

}  // namespace t2v
