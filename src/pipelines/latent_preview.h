#pragma once

#include "autoencoders/autoencoder_kl_wan.h"
#include "core/frames.h"

namespace t2v {

/// Latents -> about what a VAE would make of them, without decoding: a linear map from each latent and its
/// eight neighbours to the pixels that it stands for.
///
/// The map is fitted to the VAE, once, by least squares on small pictures of coloured noise that the VAE
/// encodes and decodes. Of twelve clips of the bundled model it explains 0.95 of the variance, as much as a
/// map that was fitted to eleven of them explains of the twelfth; pictures of drawn shapes, clips in place of
/// pictures, latents drawn at random and squares of the numbers as well did worse. To fit takes about half a
/// second for the bundled model, and a small part of the memory that decoding a clip takes; a preview then
/// costs next to nothing.
class LatentPreview {
 public:
  /// Fits to a VAE that has its encoder and is on `device`.
  LatentPreview(const AutoencoderKLWan& vae, at::Device device);

  /// Latents [1, z_dim, t, h, w] as the transformer makes them -> t frames of half the height and width that
  /// the VAE would make. Error (kNumbers).
  Frames operator()(const Tensor& latents) const;

 private:
  int64_t side_;    ///< of the square of pixels that a latent becomes
  Tensor weights_;  ///< [3 * side_^2, z_dim, 3, 3]
  Tensor bias_;     ///< [3 * side_^2]
};

}  // namespace t2v
