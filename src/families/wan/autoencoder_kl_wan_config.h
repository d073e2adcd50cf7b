#pragma once

#include <cstdint>
#include <vector>

#include "core/config.h"

namespace t2v {

/// config.json of diffusers' AutoencoderKLWan; keys it leaves out take the class defaults, which are
/// Wan2.1's.
struct AutoencoderKLWanConfig {
  /// Error (kInput) for values that are malformed or contradict each other.
  static AutoencoderKLWanConfig from_config(const Config& config);

  int64_t base_dim;
  int64_t decoder_base_dim;
  int64_t z_dim;
  std::vector<int64_t> dim_mult;  ///< one for each level, finest first
  int64_t num_res_blocks;
  std::vector<bool> temperal_downsample;  ///< one for each step between levels; the key's own spelling
  std::vector<double> latents_mean, latents_std;
  bool is_residual;      ///< Wan2.2: levels have shortcuts without weights, and upsampling keeps the channels
  int64_t in_channels;   ///< of the encoder: channels of a pixel times patch_size squared
  int64_t out_channels;  ///< of the decoder, likewise
  int64_t patch_size;    ///< side of the square of pixels that the networks see as one pixel; null is 1
  int64_t scale_factor_temporal;
  int64_t scale_factor_spatial;  ///< pixels to a latent, patch_size included

  int64_t levels() const { return static_cast<int64_t>(dim_mult.size()); }
  int64_t encoder_channels(int64_t level) const { return base_dim * dim_mult[level]; }
  int64_t decoder_channels(int64_t level) const { return decoder_base_dim * dim_mult[level]; }
  /// Whether the step from `level` to the next coarser one halves the number of frames; false for the last.
  bool temporal(int64_t level) const { return level < levels() - 1 && temperal_downsample[level]; }
};

}  // namespace t2v
