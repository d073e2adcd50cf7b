#pragma once

#include <functional>

#include "media/images/frames.h"
#include "tensors/tensor.h"

namespace t2v {

/// Latents [1, z_dim, 1, h, w] as the transformer makes them -> the frame that a VAE makes of them alone:
/// pixels [1, 3, 1, H, W] in [-1, 1].
using FrameDecoder = std::function<Tensor(const Tensor& latents)>;

/// Latents [1, z_dim, t, h, w] as the transformer makes them -> about what a VAE would make of them, without
/// decoding all of them: t frames of half the height and width. Error (kNumbers).
///
/// The first frame and the one in the middle are decoded (of the first, latents stand for one frame of a
/// clip, of the others for four), and a linear map from each latent and its eight neighbours to the pixels
/// that it stands for is fitted to them by least squares; then all frames go through that map.
Frames preview_frames(const Tensor& latents, const FrameDecoder& decode_frame);

}  // namespace t2v
