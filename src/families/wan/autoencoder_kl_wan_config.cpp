#include "families/wan/autoencoder_kl_wan_config.h"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "families/wan/published_models.h"
#include "t2v/error.h"

namespace t2v {
namespace {

constexpr int64_t kMostChannels = 1 << 16;
constexpr int64_t kMostLevels = 8;
constexpr int64_t kMostResBlocks = 64;
constexpr int64_t kLargestPatch = 16;

void check_supported(const Config& config) {
  if (config.has("attn_scales") && config.json().at("attn_scales") != nlohmann::json::array()) {
    config.fail("attn_scales", "an empty list");
  }
}

/// The shortcuts of the residual layout average and repeat whole channels.
void check_shortcuts(const AutoencoderKLWanConfig& self, const Config& config) {
  const auto& multipliers = self.dim_mult;
  for (int64_t level = 0; level < self.levels(); ++level) {
    const int64_t last = self.levels() - 1;
    const int64_t down = (level == last ? 1 : 4) * (self.temporal(level) ? 2 : 1);
    const bool averages = (level == 0 ? 1 : multipliers[level - 1]) * down % multipliers[level] == 0;
    const int64_t up = level == 0 ? 0 : 4 * (self.temporal(level - 1) ? 2 : 1);
    const bool repeats = multipliers[level] * up % multipliers[std::min(level + 1, last)] == 0;
    if (!averages || !repeats)
      config.fail("dim_mult", "levels whose channels divide what their shortcuts rearrange");
  }
}

void check_widths(const AutoencoderKLWanConfig& self, const Config& config) {
  const auto absurd = [](int64_t multiplier) { return multiplier < 1 || multiplier > kMostChannels; };
  if (self.dim_mult.empty() || self.levels() > kMostLevels ||
      std::any_of(self.dim_mult.begin(), self.dim_mult.end(), absurd)) {
    config.fail("dim_mult", "1 to " + std::to_string(kMostLevels) + " integers from 1");
  }
  // The reference reads only as many as there are steps.
  if (static_cast<int64_t>(self.temperal_downsample.size()) < self.levels() - 1) {
    config.fail("temperal_downsample",
                "a value for each of the " + std::to_string(self.levels() - 1) + " steps of dim_mult");
  }
  for (int64_t level = 1; level < self.levels(); ++level) {
    // Upsampling into a level halves its channels.
    if (!self.is_residual && self.decoder_channels(level) < 2)
      config.fail("dim_mult", "at least 2 channels after the first level");
  }
  if (self.is_residual) check_shortcuts(self, config);
}

void check(const AutoencoderKLWanConfig& self, const Config& config) {
  check_widths(self, config);
  const std::string entries = std::to_string(self.z_dim) + " numbers, one for each of z_dim";
  if (static_cast<int64_t>(self.latents_mean.size()) != self.z_dim) config.fail("latents_mean", entries);
  if (static_cast<int64_t>(self.latents_std.size()) != self.z_dim ||
      std::any_of(self.latents_std.begin(), self.latents_std.end(),
                  [](double value) { return value <= 0; })) {
    config.fail("latents_std", entries + ", above 0");
  }
  const int64_t cell = self.patch_size * self.patch_size;
  if (self.in_channels % cell != 0) config.fail("in_channels", "a multiple of patch_size squared");
  if (self.out_channels % cell != 0) config.fail("out_channels", "a multiple of patch_size squared");
  const int64_t doublings = std::count(self.temperal_downsample.begin(),
                                       self.temperal_downsample.begin() + (self.levels() - 1), true);
  if (self.scale_factor_temporal != int64_t{1} << doublings) {
    config.fail("scale_factor_temporal",
                std::to_string(int64_t{1} << doublings) + ", as temperal_downsample says");
  }
  const int64_t factor = self.patch_size << (self.levels() - 1);
  if (self.scale_factor_spatial != factor) {
    config.fail("scale_factor_spatial", std::to_string(factor) + ", as dim_mult and patch_size say");
  }
}

}  // namespace

AutoencoderKLWanConfig AutoencoderKLWanConfig::from_config(const Config& config) {
  check_supported(config);
  const int64_t base_dim = config.integer("base_dim", 96, 1, kMostChannels);
  const LatentStatistics statistics = *latent_statistics(16);  // the class defaults
  const AutoencoderKLWanConfig self{
      .base_dim = base_dim,
      .decoder_base_dim = config.integer("decoder_base_dim", base_dim, 1, kMostChannels),
      .z_dim = config.integer("z_dim", 16, 1, kMostChannels),
      .dim_mult = config.integers("dim_mult", {1, 2, 4, 4}),
      .num_res_blocks = config.integer("num_res_blocks", 2, 1, kMostResBlocks),
      .temperal_downsample = config.booleans("temperal_downsample", {false, true, true}),
      .latents_mean = config.numbers("latents_mean", statistics.mean),
      .latents_std = config.numbers("latents_std", statistics.std),
      .is_residual = config.boolean("is_residual", false),
      .in_channels = config.integer("in_channels", 3, 1, kMostChannels),
      .out_channels = config.integer("out_channels", 3, 1, kMostChannels),
      .patch_size = config.integer("patch_size", 1, 1, kLargestPatch),
      .scale_factor_temporal = config.integer("scale_factor_temporal", 4),
      .scale_factor_spatial = config.integer("scale_factor_spatial", 8)};
  check(self, config);
  return self;
}

}  // namespace t2v
