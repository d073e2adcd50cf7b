#include "networks/autoencoders/wan_encoder3d.h"

#include <string>
#include <utility>

namespace t2v {

WanEncoder3d::WanEncoder3d(const Weights& weights, const AutoencoderKLWanConfig& config)
    : conv_in_(weights["conv_in"], config.in_channels, config.base_dim, 3, 3),
      mid_block_(weights["mid_block"], config.encoder_channels(config.levels() - 1)),
      norm_out_(weights["norm_out"], config.encoder_channels(config.levels() - 1), 4),
      conv_out_(weights["conv_out"], config.encoder_channels(config.levels() - 1), 2 * config.z_dim, 3, 3) {
  int64_t channels = config.base_dim;
  const auto next = [&] { return weights["down_blocks"][std::to_string(down_blocks_.size())]; };
  for (int64_t level = 0; level < config.levels(); ++level) {
    const bool last = level == config.levels() - 1;
    if (config.is_residual) {
      const WanResidualDownBlock::Downsample downsample{!last, config.temporal(level)};
      down_blocks_.emplace_back(std::in_place_type<WanResidualDownBlock>, next(), channels,
                                config.encoder_channels(level), config.num_res_blocks, downsample);
      channels = config.encoder_channels(level);
      continue;
    }
    for (int64_t i = 0; i < config.num_res_blocks; ++i) {
      down_blocks_.emplace_back(std::in_place_type<WanResidualBlock>, next(), channels,
                                config.encoder_channels(level));
      channels = config.encoder_channels(level);
    }
    if (last) continue;
    down_blocks_.emplace_back(std::in_place_type<WanDownsample>, next(), channels, config.temporal(level));
  }
}

Tensor WanEncoder3d::forward(const Tensor& x, FeatureCache& cache) const {
  Tensor hidden_states = conv_in_(x, cache);
  for (const auto& block : down_blocks_) {
    hidden_states =
        std::visit([&](const auto& layer) { return layer.forward(std::move(hidden_states), cache); }, block);
  }
  hidden_states = norm_out_.with_silu(mid_block_.forward(std::move(hidden_states), cache));
  hidden_states = conv_out_(hidden_states, cache);
  cache.end_chunk();
  return hidden_states;
}

}  // namespace t2v
