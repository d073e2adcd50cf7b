#pragma once

#include <cstdint>

#include "families/clip_shape.h"
#include "families/wan/autoencoder_kl_wan_config.h"
#include "families/wan/clip_vision_config.h"
#include "families/wan/transformer_wan_config.h"
#include "families/wan/umt5_config.h"
#include "families/wan/wan_family.h"

namespace t2v {

// The floating-point operations of the plain formulas, a multiplication and an addition being two. What t2v
// saves (equal rows of the prompt, zeros) is not taken off: they tell how much work there is, not how it is
// done.

/// Of one forward pass for one prompt, apart from what is done once a clip.
struct ForwardFlops {
  double linear = 0, attention = 0;
  double total() const { return linear + attention; }
};
ForwardFlops forward_flops(const WanTransformer3DConfig& transformer, int64_t tokens);

/// Of one prompt of that many tokens.
double text_flops(const UMT5Config& text_encoder, int64_t tokens);

/// Of all convolutions and the attention of the VAE's decoder.
double decode_flops(const AutoencoderKLWanConfig& vae, const ClipShape& clip);
/// Of them those that are left out: of the zeros that causal convolutions see before the first frame.
double decode_zero_flops(const AutoencoderKLWanConfig& vae, const ClipShape& clip);
/// The same of its encoder.
double encode_flops(const AutoencoderKLWanConfig& vae, const ClipShape& clip);

/// Of one image.
double image_flops(const CLIPVisionConfig& image_encoder);

}  // namespace t2v
