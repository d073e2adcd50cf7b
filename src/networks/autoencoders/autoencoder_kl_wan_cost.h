#pragma once

#include <functional>

#include "families/clip_shape.h"
#include "networks/autoencoders/autoencoder_kl_wan.h"
#include "tensors/cost.h"

namespace t2v {

/// Cost of decoding the latents of a clip in float32, and of `on_chunk` with its pixels, beside the weights.
Cost decode_cost(
    const AutoencoderKLWanConfig& config, const ClipShape& clip, const Allocation& allocation,
    const std::function<void(const Tensor&)>& on_chunk = [](const Tensor&) {});

/// Cost of encoding a clip in float32, beside the weights. It includes the frames of one latent frame.
Cost encode_cost(const AutoencoderKLWanConfig& config, const ClipShape& clip, const Allocation& allocation);

}  // namespace t2v
