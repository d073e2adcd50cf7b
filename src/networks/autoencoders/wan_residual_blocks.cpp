#include "networks/autoencoders/wan_residual_blocks.h"

#include <string>
#include <utility>

namespace t2v {
namespace {

std::vector<WanResidualBlock> make_resnets(const Weights& weights, int64_t in_channels, int64_t out_channels,
                                           int64_t count) {
  std::vector<WanResidualBlock> resnets;
  for (int64_t i = 0; i < count; ++i)
    resnets.emplace_back(weights[std::to_string(i)], i == 0 ? in_channels : out_channels, out_channels);
  return resnets;
}

}  // namespace

Tensor average_down(Tensor x, int64_t out_channels, int64_t steps, int64_t size) {
  if (const int64_t surplus = x.size(0) % steps; surplus != 0) {
    x = at::constant_pad_nd(x, {0, 0, 0, 0, 0, 0, steps - surplus, 0});
  }
  const int64_t frames = x.size(0) / steps, height = x.size(2) / size, width = x.size(3) / size;
  const int64_t group = x.size(1) * steps * size * size / out_channels;
  // [frames, height, width, channel, step, row, column]: means are over groups of the last four.
  const Tensor boxes =
      x.view({frames, steps, x.size(1), height, size, width, size}).permute({0, 3, 5, 2, 1, 4, 6});
  return boxes.reshape({frames, height, width, out_channels, group}).mean(-1).permute({0, 3, 1, 2});
}

void add_repeated(const Tensor& sum, const Tensor& x, int64_t steps, bool last_step_only) {
  constexpr int64_t kSize = 2;
  const int64_t frames = x.size(0), height = x.size(2), width = x.size(3), out_channels = sum.size(1);
  const int64_t repeats = out_channels * steps * kSize * kSize / x.size(1);
  // [frames, height, width, out channel, step, row, column]
  Tensor boxes = x.permute({0, 2, 3, 1})
                     .unsqueeze(-1)
                     .expand({frames, height, width, x.size(1), repeats})
                     .reshape({frames, height, width, out_channels, steps, kSize, kSize});
  const int64_t kept = last_step_only ? 1 : steps;
  boxes = boxes.narrow(4, steps - kept, kept).permute({0, 4, 3, 1, 5, 2, 6});
  sum.view({frames, kept, out_channels, height, kSize, width, kSize}).add_(boxes);
}

WanResidualDownBlock::WanResidualDownBlock(const Weights& weights, int64_t in_channels, int64_t out_channels,
                                           int64_t num_resnets, Downsample downsample)
    : resnets_(make_resnets(weights["resnets"], in_channels, out_channels, num_resnets)),
      out_channels_(out_channels),
      downsample_(downsample) {
  if (downsample.spatial) downsampler_.emplace(weights["downsampler"], out_channels, downsample.temporal);
}

Tensor WanResidualDownBlock::forward(const Tensor& x, FeatureCache& cache) const {
  Tensor hidden_states = x.clone();  // a residual block may overwrite its input
  for (const WanResidualBlock& resnet : resnets_)
    hidden_states = resnet.forward(std::move(hidden_states), cache);
  if (downsampler_) hidden_states = downsampler_->forward(hidden_states, cache);
  return hidden_states.add_(
      average_down(x, out_channels_, downsample_.temporal ? 2 : 1, downsample_.spatial ? 2 : 1));
}

WanResidualUpBlock::WanResidualUpBlock(const Weights& weights, int64_t in_channels, int64_t out_channels,
                                       int64_t num_resnets, Upsample upsample)
    : resnets_(make_resnets(weights["resnets"], in_channels, out_channels, num_resnets)),
      temporal_(upsample == Upsample::kSpaceAndTime) {
  if (upsample != Upsample::kNone)
    upsampler_.emplace(weights["upsampler"], out_channels, out_channels, temporal_);
}

Tensor WanResidualUpBlock::forward(Tensor x, FeatureCache& cache) const {
  Tensor input;
  if (upsampler_) input = x.clone();
  for (const WanResidualBlock& resnet : resnets_) x = resnet.forward(std::move(x), cache);
  if (!upsampler_) return x;
  x = upsampler_->forward(x, cache);
  add_repeated(x, input, temporal_ ? 2 : 1, cache.first_chunk());
  return x;
}

}  // namespace t2v
