#pragma once

#include <cstdint>
#include <vector>

#include "core/config.h"

namespace t2v {

/// config.json of diffusers' AutoencoderKLWan, Wan2.1 layout; keys it leaves out take the class defaults.
struct AutoencoderKLWanConfig {
  /// Error (kInput) for values that are malformed, contradict each other, or belong to the Wan2.2 layout.
  static AutoencoderKLWanConfig from_config(const Config& config);

  int64_t base_dim;
  int64_t decoder_base_dim;
  int64_t z_dim;
  std::vector<int64_t> dim_mult;  ///< one for each level, finest first
  int64_t num_res_blocks;
  std::vector<bool> temperal_downsample;  ///< one for each step between levels; the key's own spelling
  std::vector<double> latents_mean, latents_std;
  int64_t in_channels;
  int64_t out_channels;
  int64_t scale_factor_temporal;
  int64_t scale_factor_spatial;

  int64_t levels() const { return static_cast<int64_t>(dim_mult.size()); }
  int64_t encoder_channels(int64_t level) const { return base_dim * dim_mult[level]; }
  int64_t decoder_channels(int64_t level) const { return decoder_base_dim * dim_mult[level]; }
};

}  // namespace t2v
