#include "media/images/palette.h"

#include <algorithm>
#include <limits>
#include <queue>

namespace t2v {
namespace {

constexpr size_t kAllColors = size_t{1} << 24;

size_t number_of(const uint8_t* color) {
  return static_cast<size_t>(color[0]) << 16 | static_cast<size_t>(color[1]) << 8 | color[2];
}

struct Counted {
  Color color;
  uint32_t count;  ///< of the pixels
};

std::vector<Counted> count_colors(const std::vector<Frames>& clip) {
  std::vector<uint32_t> counts(kAllColors);
  for (const Frames& frames : clip) {
    for (size_t i = 0; i < frames.rgb.size(); i += 3) ++counts[number_of(&frames.rgb[i])];
  }
  std::vector<Counted> colors;
  for (size_t number = 0; number < kAllColors; ++number) {
    if (counts[number] == 0) continue;
    colors.push_back({{static_cast<uint8_t>(number >> 16), static_cast<uint8_t>(number >> 8),
                       static_cast<uint8_t>(number)},
                      counts[number]});
  }
  return colors;
}

/// Some of the colours, and how they spread around their mean.
struct Box {
  Box(std::vector<Counted>::iterator first, std::vector<Counted>::iterator last) : begin(first), end(last) {
    std::array<double, 3> sum{}, squares{};
    double count = 0;
    for (auto at = begin; at != end; ++at) {
      count += at->count;
      for (size_t c = 0; c < 3; ++c) {
        sum[c] += static_cast<double>(at->count) * at->color[c];
        squares[c] += static_cast<double>(at->count) * at->color[c] * at->color[c];
      }
    }
    for (size_t c = 0; c < 3; ++c) {
      mean[c] = sum[c] / count;
      const double around_mean = squares[c] - sum[c] * mean[c];
      if (around_mean > spread) {
        spread = around_mean;
        widest = c;
      }
    }
    if (end - begin == 1) spread = 0;  // whatever rounding leaves
  }
  bool operator<(const Box& other) const { return spread < other.spread; }
  Color color() const {
    Color rounded;
    for (size_t c = 0; c < 3; ++c) rounded[c] = static_cast<uint8_t>(mean[c] + 0.5);
    return rounded;
  }

  std::vector<Counted>::iterator begin, end;
  std::array<double, 3> mean{};
  double spread = 0;  ///< along the axis where it is widest: the sum of squares
  size_t widest = 0;
};

}  // namespace

Palette::Palette(const std::vector<Frames>& clip, int64_t largest) : nearest_(kAllColors, -1) {
  std::vector<Counted> colors = count_colors(clip);
  if (colors.empty()) return;
  std::priority_queue<Box> boxes;
  boxes.emplace(colors.begin(), colors.end());
  while (static_cast<int64_t>(boxes.size()) < largest && boxes.top().spread > 0) {
    const Box box = boxes.top();
    boxes.pop();
    const auto middle = std::partition(box.begin, box.end, [&box](const Counted& counted) {
      return counted.color[box.widest] <= box.mean[box.widest];
    });
    boxes.emplace(box.begin, middle);
    boxes.emplace(middle, box.end);
  }
  for (; !boxes.empty(); boxes.pop()) colors_.push_back(boxes.top().color());
}

uint8_t Palette::nearest(const Color& color) {
  int16_t& known = nearest_[number_of(color.data())];
  if (known >= 0) return static_cast<uint8_t>(known);
  int least = std::numeric_limits<int>::max();
  for (size_t i = 0; i < colors_.size(); ++i) {
    int distance = 0;
    for (size_t c = 0; c < 3; ++c) distance += (color[c] - colors_[i][c]) * (color[c] - colors_[i][c]);
    if (distance >= least) continue;
    least = distance;
    known = static_cast<int16_t>(i);
  }
  return static_cast<uint8_t>(known);
}

std::vector<uint8_t> Palette::dither(const uint8_t* rgb, int64_t height, int64_t width) {
  // In sixteenths of a level, for this row and the next, with room on both sides.
  const auto row_size = static_cast<size_t>(3 * (width + 2));
  std::vector<int> lost(row_size), lost_below(row_size);
  std::vector<uint8_t> indices;
  indices.reserve(static_cast<size_t>(height * width));
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x, rgb += 3) {
      const auto at = static_cast<size_t>(3 * (x + 1));
      Color wanted;
      std::array<int, 3> level{};
      for (size_t c = 0; c < 3; ++c) {
        level[c] = std::clamp(rgb[c] + ((lost[at + c] + 8) >> 4), 0, 255);
        wanted[c] = static_cast<uint8_t>(level[c]);
      }
      indices.push_back(nearest(wanted));
      const Color& got = colors_[indices.back()];
      for (size_t c = 0; c < 3; ++c) {
        const int error = level[c] - got[c];
        lost[at + 3 + c] += 7 * error;
        lost_below[at - 3 + c] += 3 * error;
        lost_below[at + c] += 5 * error;
        lost_below[at + 3 + c] += error;
      }
    }
    lost.swap(lost_below);
    std::fill(lost_below.begin(), lost_below.end(), 0);
  }
  return indices;
}

}  // namespace t2v
