#pragma once

#include "autoencoders/autoencoder_kl_wan.h"
#include "core/frames.h"

namespace t2v {

/// Latents [1, z_dim, t, h, w] as the transformer makes them -> t frames of half the height and width that
/// the VAE would make, in about its colours: red, green and blue of a latent are linear functions of its
/// z_dim numbers. They are fitted, by least squares, on one latent frame that the VAE decodes, at most
/// 512x512 pixels of it: right for these latents and this VAE, at about 1/t of the cost of decoding.
/// Error (kNumbers).
Frames preview_frames(const AutoencoderKLWan& vae, const Tensor& latents);

}  // namespace t2v
