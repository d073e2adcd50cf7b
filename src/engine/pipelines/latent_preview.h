#pragma once

#include <functional>

#include "media/images/frames.h"
#include "tensors/tensor.h"

namespace t2v {

/// Decodes one latent frame [1, z_dim, 1, h, w], normalised as the transformer has it -> pixels [1, 3, 1, H,
/// W] in [-1, 1].
using FrameDecoder = std::function<Tensor(const Tensor& latents)>;

/// Decodes latents [1, z_dim, t, h, w] roughly and fast, to t frames of half the height and width. Error
/// (kNumbers).
///
/// Two latent frames are decoded: the first, which stands for one frame of the clip, and the one in the
/// middle, which stands for several. A linear map from each latent and its eight neighbours to the latent's
/// pixels is fitted to both by least squares, and all latent frames go through the map.
Frames preview_frames(const Tensor& latents, const FrameDecoder& decode_frame);

}  // namespace t2v
