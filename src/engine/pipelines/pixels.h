#pragma once

#include "media/images/frames.h"
#include "media/images/image_resize.h"
#include "tensors/tensor.h"

namespace t2v {

/// Frames `first` to `first + count` - 1 as float32 pixels [1, 3, count, height, width] in [-1, 1], on the
/// CPU. (diffusers VideoProcessor.preprocess without resizing.)
Tensor to_pixels(const Frames& frames, int64_t first, int64_t count);
Tensor to_pixels(const Frames& frames);

/// Pixels [1, 3, count, height, width] in [-1, 1] -> [count, height, width, 3] from 0 to 255, rounded.
Tensor rgb_levels(const Tensor& pixels);
/// Pixels [1, 3, count, height, width] in [-1, 1] -> 8-bit frames, rounded to the nearest level. Error
/// (kNumbers).
Frames to_frames(const Tensor& pixels);

/// An image as CLIP's image encoder takes it: [1, 3, side, side]. (transformers CLIPImageProcessor.)
Tensor to_clip_pixels(const Frames& image, int64_t side);

/// An image in the middle of a white canvas, as large as fits: pixels [1, 3, 1, height, width] in [-1, 1].
/// `factor`: of the VAE. (diffusers: preprocess_conditions() of the VACE pipeline.)
Tensor place_on_canvas(const Frames& image, ImageSize canvas, int64_t factor);

}  // namespace t2v
