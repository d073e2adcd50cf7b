#include "engine/pipelines/pixels.h"

#include <algorithm>
#include <string>

namespace t2v {
namespace {

/// [count, 3, height, width] float32, 0 to 255.
Tensor to_levels(const Frames& frames, int64_t first, int64_t count) {
  const int64_t frame_size = frames.height * frames.width * 3;
  const Tensor rgb = at::empty({count, frames.height, frames.width, 3}, at::kByte);
  std::copy_n(frames.rgb.begin() + first * frame_size, count * frame_size, rgb.data_ptr<uint8_t>());
  return rgb.permute({0, 3, 1, 2}).to(at::kFloat);
}

}  // namespace

Tensor to_pixels(const Frames& frames, int64_t first, int64_t count) {
  const Tensor pixels = 2.0 * (to_levels(frames, first, count) / 255.0) - 1.0;
  return pixels.transpose(0, 1).unsqueeze(0).contiguous();
}

Tensor to_pixels(const Frames& frames) { return to_pixels(frames, 0, frames.count); }

Tensor rgb_levels(const Tensor& pixels) {
  return (pixels[0].permute({1, 2, 3, 0}) * 0.5 + 0.5).clamp(0, 1).mul(255).round();
}

Frames to_frames(const Tensor& pixels) {
  check_finite(pixels, "decoding the latents");
  const Tensor rgb = rgb_levels(pixels).to(at::kCPU, at::kByte).contiguous();
  Frames frames{.count = rgb.size(0), .height = rgb.size(1), .width = rgb.size(2), .rgb = {}};
  frames.rgb.assign(rgb.data_ptr<uint8_t>(), rgb.data_ptr<uint8_t>() + rgb.numel());
  return frames;
}

Tensor to_clip_pixels(const Frames& image, int64_t side) {
  const ImageSize size = shortest_edge_size({image.height, image.width}, side);
  const Frames resized = resize(image, size.height, size.width, ResizeFilter::kBicubic);
  const Frames cropped = center_crop(resized, side, side);
  const auto channels = [](at::ArrayRef<double> values) {
    return at::tensor(values, at::kFloat).view({1, 3, 1, 1});
  };
  const Tensor mean = channels({0.48145466, 0.4578275, 0.40821073});
  const Tensor deviation = channels({0.26862954, 0.26130258, 0.27577711});
  // The reference multiplies in float64 and rounds.
  const Tensor share = (to_levels(cropped, 0, 1).to(at::kDouble) * (1 / 255.0)).to(at::kFloat);
  return (share - mean) / deviation;
}

Tensor place_on_canvas(const Frames& image, ImageSize canvas, int64_t factor) {
  const int64_t height = image.height - image.height % factor, width = image.width - image.width % factor;
  const Tensor pixels = to_pixels(resize(image, height, width, ResizeFilter::kLanczos)).select(2, 0);
  const ImageSize size = fitted_size({height, width}, canvas);
  if (size.height < 1 || size.width < 1) {
    throw Error(ErrorCode::kInput, {.doing = "placing a reference image in the clip",
                                    .got = std::to_string(width) + "x" + std::to_string(height) + " pixels",
                                    .expected = "an image with a less extreme shape",
                                    .advice = "use a picture that is less narrow"});
  }
  const Tensor fitted = at::upsample_bilinear2d(pixels, {size.height, size.width}, /*align_corners=*/false);
  const Tensor placed = at::ones({1, 3, 1, canvas.height, canvas.width});
  placed.select(2, 0)
      .slice(2, (canvas.height - size.height) / 2, (canvas.height - size.height) / 2 + size.height)
      .slice(3, (canvas.width - size.width) / 2, (canvas.width - size.width) / 2 + size.width)
      .copy_(fitted);
  return placed;
}

}  // namespace t2v
