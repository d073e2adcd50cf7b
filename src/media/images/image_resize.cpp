#include "media/images/image_resize.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "t2v/error.h"

namespace t2v {
namespace {

constexpr int64_t kChannels = 3;
/// Weights are integers with so many binary places; 8 bits and two of headroom make 32.
constexpr int kWeightBits = 32 - 8 - 2;

double bilinear(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double bicubic(double x) {
  constexpr double kSharpness = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kSharpness + 2.0) * x - (kSharpness + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kSharpness;
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos(double x) { return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0; }

struct FilterShape {
  double (*value)(double);
  double reach;  ///< in pixels of the smaller image
};

FilterShape shape_of(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::kBilinear:
      return {bilinear, 1.0};
    case ResizeFilter::kBicubic:
      return {bicubic, 2.0};
    case ResizeFilter::kLanczos:
      break;
  }
  return {lanczos, 3.0};
}

/// Which pixels of a line one output pixel is the weighted sum of.
struct Taps {
  int64_t first;
  std::vector<int32_t> weights;
};

std::vector<Taps> make_taps(int64_t in_length, int64_t out_length, ResizeFilter filter) {
  const FilterShape shape = shape_of(filter);
  const double scale = static_cast<double>(in_length) / static_cast<double>(out_length);
  const double widening = std::max(scale, 1.0), reach = shape.reach * widening;
  std::vector<Taps> taps;
  for (int64_t i = 0; i < out_length; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const int64_t first = std::max<int64_t>(0, static_cast<int64_t>(center - reach + 0.5));
    const int64_t end = std::min(in_length, static_cast<int64_t>(center + reach + 0.5));
    std::vector<double> values;
    double sum = 0.0;
    for (int64_t x = first; x < end; ++x) {
      values.push_back(shape.value((static_cast<double>(x) - center + 0.5) * (1.0 / widening)));
      sum += values.back();
    }
    Taps& line = taps.emplace_back(Taps{first, {}});
    for (double value : values) {
      if (sum != 0.0) value /= sum;
      line.weights.push_back(static_cast<int32_t>(value * (1 << kWeightBits) + (value < 0 ? -0.5 : 0.5)));
    }
  }
  return taps;
}

uint8_t to_level(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255)); }

/// Rows of in_width pixels to rows of taps.size() pixels.
void resize_rows(const uint8_t* in, int64_t rows, int64_t in_width, const std::vector<Taps>& taps,
                 uint8_t* out) {
  for (int64_t row = 0; row < rows; ++row, in += in_width * kChannels) {
    for (const Taps& tap : taps) {
      int32_t red = 1 << (kWeightBits - 1), green = red, blue = red;
      const uint8_t* pixel = in + tap.first * kChannels;
      for (const int32_t weight : tap.weights) {
        red += pixel[0] * weight;
        green += pixel[1] * weight;
        blue += pixel[2] * weight;
        pixel += kChannels;
      }
      *out++ = to_level(red);
      *out++ = to_level(green);
      *out++ = to_level(blue);
    }
  }
}

/// Columns of an image whose rows are `stride` bytes to columns of taps.size() pixels.
void resize_columns(const uint8_t* in, int64_t stride, const std::vector<Taps>& taps, uint8_t* out) {
  std::vector<int32_t> sums(static_cast<size_t>(stride));
  for (const Taps& tap : taps) {
    std::fill(sums.begin(), sums.end(), 1 << (kWeightBits - 1));
    const uint8_t* row = in + tap.first * stride;
    for (const int32_t weight : tap.weights) {
      for (int64_t x = 0; x < stride; ++x) sums[x] += row[x] * weight;
      row += stride;
    }
    out = std::transform(sums.begin(), sums.end(), out, to_level);
  }
}

Frames blank(int64_t count, int64_t height, int64_t width) {
  if (height < 1 || width < 1 || height > kMostPixels / width) {
    throw Error(ErrorCode::kInput,
                {.doing = "resizing an image",
                 .got = std::to_string(width) + "x" + std::to_string(height) + " pixels",
                 .expected = "at least 1x1, and at most " + std::to_string(kMostPixels) + " in all"});
  }
  return {.count = count,
          .height = height,
          .width = width,
          .rgb = std::vector<uint8_t>(static_cast<size_t>(count * height * width * kChannels))};
}

Frames with_width(const Frames& frames, int64_t width, ResizeFilter filter) {
  if (frames.width == width) return frames;
  Frames resized = blank(frames.count, frames.height, width);
  resize_rows(frames.rgb.data(), frames.count * frames.height, frames.width,
              make_taps(frames.width, width, filter), resized.rgb.data());
  return resized;
}

Frames with_height(const Frames& frames, int64_t height, ResizeFilter filter) {
  if (frames.height == height) return frames;
  Frames resized = blank(frames.count, height, frames.width);
  const std::vector<Taps> taps = make_taps(frames.height, height, filter);
  const int64_t stride = frames.width * kChannels;
  for (int64_t i = 0; i < frames.count; ++i) {
    resize_columns(frames.rgb.data() + i * frames.height * stride, stride, taps,
                   resized.rgb.data() + i * height * stride);
  }
  return resized;
}

}  // namespace

Frames resize(const Frames& frames, int64_t height, int64_t width, ResizeFilter filter) {
  // Pillow's rule for which pass is the first, since 13.0.
  const int64_t lost_rows = frames.height - height, lost_columns = frames.width - width;
  if (lost_rows > 0 && lost_rows > 2 * lost_columns)
    return with_width(with_height(frames, height, filter), width, filter);
  return with_height(with_width(frames, width, filter), height, filter);
}

Frames center_crop(const Frames& frames, int64_t height, int64_t width) {
  Frames cropped = blank(frames.count, height, width);
  // What is too small by an odd number gets the extra row above and the extra column to the left.
  const auto offset = [](int64_t length, int64_t wanted) {
    return length >= wanted ? (length - wanted) / 2 : -((wanted - length + 1) / 2);
  };
  const int64_t top = offset(frames.height, height), left = offset(frames.width, width);
  const int64_t first = std::max<int64_t>(0, -left), end = std::min(width, frames.width - left);
  for (int64_t i = 0; i < frames.count; ++i) {
    for (int64_t y = std::max<int64_t>(0, -top); y < std::min(height, frames.height - top); ++y) {
      const int64_t from = ((i * frames.height + y + top) * frames.width + first + left) * kChannels;
      std::copy_n(frames.rgb.data() + from, (end - first) * kChannels,
                  cropped.rgb.data() + ((i * height + y) * width + first) * kChannels);
    }
  }
  return cropped;
}

ImageSize shortest_edge_size(ImageSize size, int64_t edge) {
  const auto [shorter, longer] = std::minmax(size.height, size.width);
  const auto proportional =
      static_cast<int64_t>(static_cast<double>(edge * longer) / static_cast<double>(shorter));
  return size.width <= size.height ? ImageSize{proportional, edge} : ImageSize{edge, proportional};
}

ImageSize fitted_size(ImageSize image, ImageSize canvas) {
  const auto height = static_cast<double>(image.height), width = static_cast<double>(image.width);
  const double scale =
      std::min(static_cast<double>(canvas.height) / height, static_cast<double>(canvas.width) / width);
  return {static_cast<int64_t>(height * scale), static_cast<int64_t>(width * scale)};
}

ImageSize control_video_size(ImageSize video, ImageSize wanted, int64_t factor, int64_t base) {
  const auto cut = [](ImageSize size, int64_t step) {
    return ImageSize{size.height / step * step, size.width / step * step};
  };
  ImageSize size = cut(video, factor);
  if (size.height * size.width > wanted.height * wanted.width) size = fitted_size(size, wanted);
  return cut(size, base);
}

}  // namespace t2v
