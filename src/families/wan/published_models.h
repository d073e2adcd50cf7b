#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "families/family.h"

namespace t2v {

// The published Wan models: their names, and values that their weights do not tell.

/// Mean and standard deviation of each channel of a VAE's latents.
struct LatentStatistics {
  std::vector<double> mean, std;
};
/// Of the published VAE with this many channels: 16 (Wan2.1) or 48 (Wan2.2 TI2V-5B); nothing for another
/// number. Source: diffusers' AutoencoderKLWan, and the vae/config.json of Wan2.2-TI2V-5B-Diffusers.
std::optional<LatentStatistics> latent_statistics(int64_t channels);

/// scheduler_config.json of the published model whose transformer has this config.
Config published_scheduler(const Config& transformer);

/// Share of the timesteps from which on the first of two experts is used.
double published_boundary_ratio(const Config& transformer);

/// Tells a model by the configurations of the parts that are there; by the names of files only whether a lone
/// transformer is one of two experts.
ModelName wan_model_name(const ModelInfo& model);

}  // namespace t2v
