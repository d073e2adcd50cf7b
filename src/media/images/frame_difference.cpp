#include "media/images/frame_difference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <vector>

namespace t2v {
namespace {

constexpr int64_t kWindow = 11;

/// One number for each pixel.
struct Plane {
  int64_t height, width;
  std::vector<double> values;
};

Plane luma(const Frames& frame) {
  Plane plane{frame.height, frame.width, std::vector<double>(frame.height * frame.width)};
  const uint8_t* rgb = frame.rgb.data();
  for (double& value : plane.values) {
    value = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
    rgb += 3;
  }
  return plane;
}

Plane product(const Plane& a, const Plane& b) {
  Plane result = a;
  std::transform(a.values.begin(), a.values.end(), b.values.begin(), result.values.begin(),
                 std::multiplies<>());
  return result;
}

std::array<double, kWindow> window_weights() {
  constexpr double kSigma = 1.5;
  std::array<double, kWindow> weights{};
  double sum = 0;
  for (int64_t i = 0; i < kWindow; ++i) {
    const auto distance = static_cast<double>(i - kWindow / 2);
    weights[i] = std::exp(-distance * distance / (2 * kSigma * kSigma));
    sum += weights[i];
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// The weighted mean of every window: along the rows, then along the columns.
Plane window_means(const Plane& plane) {
  static const std::array<double, kWindow> kWeights = window_weights();
  const int64_t height = plane.height - kWindow + 1, width = plane.width - kWindow + 1;
  Plane rows{plane.height, width, std::vector<double>(plane.height * width)};
  Plane means{height, width, std::vector<double>(height * width)};
  for (int64_t k = 0; k < kWindow; ++k) {
    for (int64_t y = 0; y < plane.height; ++y) {
      const double* from = plane.values.data() + y * plane.width + k;
      double* to = rows.values.data() + y * width;
      for (int64_t x = 0; x < width; ++x) to[x] += kWeights[k] * from[x];
    }
  }
  for (int64_t k = 0; k < kWindow; ++k) {
    for (int64_t i = 0; i < height * width; ++i) means.values[i] += kWeights[k] * rows.values[i + k * width];
  }
  return means;
}

double mean_ssim(const Plane& a, const Plane& b) {
  constexpr double kC1 = (0.01 * 255) * (0.01 * 255), kC2 = (0.03 * 255) * (0.03 * 255);
  const Plane mean_a = window_means(a), mean_b = window_means(b);
  const Plane aa = window_means(product(a, a)), bb = window_means(product(b, b)),
              ab = window_means(product(a, b));
  double sum = 0;
  for (size_t i = 0; i < mean_a.values.size(); ++i) {
    const double m = mean_a.values[i], n = mean_b.values[i];
    const double variances = aa.values[i] - m * m + bb.values[i] - n * n;
    const double covariance = ab.values[i] - m * n;
    sum += (2 * m * n + kC1) * (2 * covariance + kC2) / ((m * m + n * n + kC1) * (variances + kC2));
  }
  return sum / static_cast<double>(mean_a.values.size());
}

}  // namespace

FrameDifference frame_difference(const Frames& a, const Frames& b) {
  FrameDifference difference;
  const int64_t count = 3 * a.height * a.width;
  int64_t squares = 0;  // of at most 2^16 each: room for more than kMostPixels
  for (int64_t i = 0; i < count; ++i) {
    const int64_t error = std::abs(a.rgb[i] - b.rgb[i]);
    squares += error * error;
    difference.largest = std::max(difference.largest, error);
  }
  difference.squared_error = static_cast<double>(squares) / static_cast<double>(count);
  if (std::min(a.height, a.width) < kWindow) return difference;
  difference.ssim = squares == 0 ? 1 : mean_ssim(luma(a), luma(b));
  return difference;
}

}  // namespace t2v
