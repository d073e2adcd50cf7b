#include "networks/autoencoders/wan_decoder3d.h"

#include <algorithm>
#include <string>
#include <utility>

namespace t2v {

WanUpBlock::WanUpBlock(const Weights& weights, int64_t in_channels, int64_t out_channels, int64_t num_resnets,
                       Upsample upsample) {
  for (int64_t i = 0; i < num_resnets; ++i) {
    resnets_.emplace_back(weights["resnets"][std::to_string(i)], i == 0 ? in_channels : out_channels,
                          out_channels);
  }
  if (upsample != Upsample::kNone) {
    upsampler_.emplace(weights["upsamplers.0"], out_channels, out_channels / 2,
                       upsample == Upsample::kSpaceAndTime);
  }
}

Tensor WanUpBlock::forward(Tensor x, FeatureCache& cache) const {
  for (const WanResidualBlock& resnet : resnets_) x = resnet.forward(std::move(x), cache);
  return upsampler_ ? upsampler_->forward(x, cache) : x;
}

namespace {

std::vector<WanDecoder3d::UpBlock> make_up_blocks(const Weights& weights,
                                                  const AutoencoderKLWanConfig& config) {
  const int64_t last = config.levels() - 1;
  std::vector<WanDecoder3d::UpBlock> blocks;
  for (int64_t level = last; level >= 0; --level) {  // coarsest level first
    const Weights block = weights[std::to_string(last - level)];
    const int64_t in_channels = config.decoder_channels(std::min(level + 1, last));
    const int64_t out_channels = config.decoder_channels(level);
    const auto upsample = level == 0                   ? Upsample::kNone
                          : config.temporal(level - 1) ? Upsample::kSpaceAndTime
                                                       : Upsample::kSpace;
    const int64_t num_resnets = config.num_res_blocks + 1;
    if (config.is_residual) {
      blocks.emplace_back(std::in_place_type<WanResidualUpBlock>, block, in_channels, out_channels,
                          num_resnets, upsample);
    } else {
      // Each upsampler halves the number of channels.
      blocks.emplace_back(std::in_place_type<WanUpBlock>, block,
                          level == last ? in_channels : in_channels / 2, out_channels, num_resnets, upsample);
    }
  }
  return blocks;
}

}  // namespace

WanDecoder3d::WanDecoder3d(const Weights& weights, const AutoencoderKLWanConfig& config, int64_t large_frame)
    : conv_in_(weights["conv_in"], config.z_dim, config.decoder_channels(config.levels() - 1), 3, 3),
      mid_block_(weights["mid_block"], config.decoder_channels(config.levels() - 1)),
      up_blocks_(make_up_blocks(weights["up_blocks"], config)),
      norm_out_(weights["norm_out"], config.decoder_channels(0), 4),
      conv_out_(weights["conv_out"], config.decoder_channels(0), config.out_channels, 3, 3),
      large_frame_(large_frame) {}

Tensor WanDecoder3d::forward(const Tensor& x, FeatureCache& cache) const {
  std::vector<Tensor> frames;
  finish(mid_block_.forward(conv_in_(x, cache), cache), 0, cache, frames);
  cache.end_chunk();
  return at::cat(frames);
}

void WanDecoder3d::finish(Tensor x, size_t next_block, FeatureCache& cache,
                          std::vector<Tensor>& frames) const {
  if (next_block == up_blocks_.size()) {
    frames.push_back(conv_out_(norm_out_.with_silu(x), cache));
    return;
  }
  x = std::visit([&](const auto& block) { return block.forward(std::move(x), cache); },
                 up_blocks_[next_block]);
  const int64_t frame_bytes = static_cast<int64_t>(x[0].nbytes());
  for (const Tensor& part : x.split(frame_bytes < large_frame_ ? x.size(0) : 1)) {
    finish(part, next_block + 1, cache, frames);
  }
}

}  // namespace t2v
