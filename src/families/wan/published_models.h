#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/config.h"

namespace t2v {

// What the published Wan models have and their weights do not say.

/// Mean and standard deviation of each channel of a VAE's latents.
struct LatentStatistics {
  std::vector<double> mean, std;
};
/// Of the published VAE with this many channels: 16 (Wan2.1) or 48 (Wan2.2 TI2V-5B); nothing for another
/// number. Source: diffusers' AutoencoderKLWan, and the vae/config.json of Wan2.2-TI2V-5B-Diffusers.
std::optional<LatentStatistics> latent_statistics(int64_t channels);

/// scheduler_config.json of the published model whose transformer has this config.
Config published_scheduler(const Config& transformer);

/// Which timesteps the first of two experts has, as a part of all.
double published_boundary_ratio(const Config& transformer);

}  // namespace t2v
