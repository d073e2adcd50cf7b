#include "networks/autoencoders/wan_resample.h"

namespace t2v {
namespace {

/// The four 2x2 kernels that replace doubling by repetition and a 3x3 convolution: one kernel for each parity
/// of the output row and column. [out, in, 3, 3] -> [4 * out, in, 2, 2]
Tensor phase_kernels(const Tensor& weight) {
  // Along one axis, an even output reads pixels i - 1, i, i; an odd output reads i, i, i + 1.
  const auto fold = [](const Tensor& kernel, int64_t axis, bool odd) {
    const auto at = [&](int64_t k) { return kernel.select(axis, k); };
    return odd ? at::stack({at(0) + at(1), at(2)}, axis) : at::stack({at(0), at(1) + at(2)}, axis);
  };
  std::vector<Tensor> kernels;
  for (const bool odd_row : {false, true}) {
    for (const bool odd_column : {false, true})
      kernels.push_back(fold(fold(weight, 2, odd_row), 3, odd_column));
  }
  return at::cat(kernels, 0);
}

Conv2d make_phases(const Weights& weights, int64_t in_channels, int64_t out_channels) {
  const Tensor weight = weights.tensor("weight", {out_channels, in_channels, 3, 3});
  return Conv2d(phase_kernels(weight), weights.tensor("bias", {out_channels}).repeat({4}), /*padding=*/1);
}

}  // namespace

WanUpsample::WanUpsample(const Weights& weights, int64_t channels, int64_t out_channels, bool temporal)
    : phases_(make_phases(weights["resample.1"], channels, out_channels)), out_channels_(out_channels) {
  if (!temporal) return;
  const Tensor weight = weights["time_conv"].tensor("weight", {2 * channels, channels, 3, 1, 1});
  const Tensor bias = weights["time_conv"].tensor("bias", {2 * channels});
  even_.emplace(weight.narrow(0, 0, channels), bias.narrow(0, 0, channels));
  odd_.emplace(weight.narrow(0, channels, channels), bias.narrow(0, channels, channels));
}

Tensor WanUpsample::forward(const Tensor& x, FeatureCache& cache) const {
  // The first frame of the clip is not doubled, and the convolution over time does not read it.
  const bool doubled = even_ && !cache.first_chunk();
  const int64_t frames = x.size(0), height = 2 * x.size(2), width = 2 * x.size(3);
  const Tensor output = at::empty({doubled ? 2 * frames : frames, out_channels_, height, width},
                                  x.options().memory_format(at::MemoryFormat::ChannelsLast));
  if (!doubled) {
    upsample(x, output);
  } else {
    upsample((*even_)(x, cache), output.slice(0, 0, std::nullopt, 2));
    upsample((*odd_)(x, cache), output.slice(0, 1, std::nullopt, 2));
  }
  return output;
}

void WanUpsample::upsample(const Tensor& x, const Tensor& output) const {
  const int64_t height = x.size(2), width = x.size(3);
  // [t, 4 * out, h + 1, w + 1]: pixel (i, j) reads x at rows i - 1 and i, columns j - 1 and j.
  const Tensor phases = phases_(x);
  for (int64_t odd_row = 0; odd_row < 2; ++odd_row) {
    for (int64_t odd_column = 0; odd_column < 2; ++odd_column) {
      const Tensor phase = phases.narrow(1, (2 * odd_row + odd_column) * out_channels_, out_channels_)
                               .narrow(2, odd_row, height)
                               .narrow(3, odd_column, width);
      output.slice(2, odd_row, std::nullopt, 2).slice(3, odd_column, std::nullopt, 2).copy_(phase);
    }
  }
}

WanDownsample::WanDownsample(const Weights& weights, int64_t channels, bool temporal)
    : resample_(weights["resample.1"].tensor("weight", {channels, channels, 3, 3}),
                weights["resample.1"].tensor("bias", {channels}), /*padding=*/0, /*stride=*/2) {
  if (!temporal) return;
  time_weight_ = weights["time_conv"]
                     .tensor("weight", {channels, channels, 3, 1, 1})
                     .transpose(1, 2)
                     .reshape({channels, 3 * channels});
  time_bias_ = weights["time_conv"].tensor("bias", {channels});
}

Tensor WanDownsample::forward(const Tensor& x, FeatureCache& cache) const {
  const Tensor frames = resample_(at::constant_pad_nd(x, {0, 1, 0, 1}));
  if (!time_weight_) return frames;

  std::vector<Tensor>& past = cache[this];
  const std::vector<Tensor> last = {frames.narrow(0, frames.size(0) - 1, 1).clone()};
  if (cache.first_chunk()) {
    past = last;
    return frames;
  }
  // Each output frame reads three input frames, the last of the pair before and its own pair: [t / 2, h, w, 3
  // * channels].
  const Tensor sequence = at::cat({past[0], frames}).permute({0, 2, 3, 1});
  past = last;
  const int64_t count = frames.size(0);
  const Tensor triples = at::cat(
      {sequence.slice(0, 0, count, 2), sequence.slice(0, 1, count, 2), sequence.slice(0, 2, count + 1, 2)},
      /*dim=*/3);
  return at::linear(triples, *time_weight_, time_bias_).permute({0, 3, 1, 2});
}

}  // namespace t2v
