#pragma once

#include <cstdint>

#include "media/images/frames.h"

namespace t2v {

/// How pixels are weighted. (PIL.Image.Resampling.)
enum class ResizeFilter { kBilinear, kBicubic, kLanczos };

/// Every frame stretched to height x width, bit for bit as PIL.Image.resize does it: antialiased, along
/// the rows and along the columns, rounded to 8 bits after each. Frames of that size come back as they are.
/// Error (kInput) for a side below 1 or more pixels than kMostPixels.
///
/// What the reference makes of an image, with v the 8-bit value:
///   VideoProcessor.preprocess: resize(image, height, width, kLanczos), then 2 * (v / 255) - 1 in float32;
///   CLIPImageProcessor: resize(image, shortest_edge_size(size, 224), kBicubic), center_crop(224, 224), then
///   float32(v * (1 / 255.0)), minus the mean, over the standard deviation.
Frames resize(const Frames& frames, int64_t height, int64_t width, ResizeFilter filter);

/// The middle height x width of every frame; black around it where a frame is smaller. (transformers
/// center_crop.)
Frames center_crop(const Frames& frames, int64_t height, int64_t width);

struct ImageSize {
  int64_t height, width;
  bool operator==(const ImageSize&) const = default;
};

/// The size whose shorter side is `edge`, the longer one in proportion and cut to an integer. (transformers
/// get_resize_output_image_size.)
ImageSize shortest_edge_size(ImageSize size, int64_t edge);

/// The size of a control video, and of its mask, for a clip of the size `wanted`: cut to multiples of the
/// VAE's `factor`, shrunk in proportion if it has more pixels than `wanted`, cut to multiples of `base`.
/// (diffusers: preprocess_conditions() of the VACE pipeline.)
ImageSize control_video_size(ImageSize video, ImageSize wanted, int64_t factor, int64_t base);

/// The largest size in the proportions of a reference image that fits into `canvas`. (The same function.)
ImageSize fitted_size(ImageSize image, ImageSize canvas);

}  // namespace t2v
