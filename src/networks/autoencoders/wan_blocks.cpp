#include "networks/autoencoders/wan_blocks.h"

#include <utility>

#include "tensors/kernels/attention.h"

namespace t2v {

Conv2d pointwise_conv(const Weights& weights, int64_t in_channels, int64_t out_channels, int64_t dimensions) {
  std::vector<int64_t> shape(dimensions, 1);
  shape[0] = out_channels;
  shape[1] = in_channels;
  return Conv2d(weights.tensor("weight", shape).view({out_channels, in_channels, 1, 1}),
                weights.tensor("bias", {out_channels}), /*padding=*/0);
}

WanResidualBlock::WanResidualBlock(const Weights& weights, int64_t in_channels, int64_t out_channels)
    : norm1_(weights["norm1"], in_channels, 4),
      conv1_(weights["conv1"], in_channels, out_channels, 3, 3),
      norm2_(weights["norm2"], out_channels, 4),
      conv2_(weights["conv2"], out_channels, out_channels, 3, 3) {
  if (in_channels != out_channels) {
    conv_shortcut_ = pointwise_conv(weights["conv_shortcut"], in_channels, out_channels, 5);
  }
}

Tensor WanResidualBlock::forward(Tensor x, FeatureCache& cache) const {
  Tensor hidden_states = conv1_(norm1_.with_silu(x), cache);
  hidden_states = norm2_.with_silu(hidden_states);
  Tensor sum = conv_shortcut_ ? (*conv_shortcut_)(x) : std::move(x);
  conv2_.add_to(sum, hidden_states, cache);
  return sum;
}

WanAttentionBlock::WanAttentionBlock(const Weights& weights, int64_t channels)
    : norm_(weights["norm"], channels, 3),
      to_qkv_(pointwise_conv(weights["to_qkv"], channels, 3 * channels, 4)),
      proj_(pointwise_conv(weights["proj"], channels, channels, 4)) {}

Tensor WanAttentionBlock::forward(const Tensor& x) const {
  const int64_t frames = x.size(0), channels = x.size(1), height = x.size(2), width = x.size(3);
  // [t, 3 * channels, h, w] -> tokens [t, h * w, 1 head, 3 * channels]: channels last, so no copy.
  const Tensor tokens =
      to_qkv_(norm_(x)).permute({0, 2, 3, 1}).reshape({frames, height * width, 1, 3 * channels});
  const auto qkv = tokens.chunk(3, /*dim=*/-1);
  const Tensor attended = attention(qkv[0], qkv[1], qkv[2]);
  const Tensor sum = x.clone();
  proj_.add_to(sum, attended.reshape({frames, height, width, channels}).permute({0, 3, 1, 2}));
  return sum;
}

WanMidBlock::WanMidBlock(const Weights& weights, int64_t channels)
    : resnet0_(weights["resnets.0"], channels, channels),
      attention_(weights["attentions.0"], channels),
      resnet1_(weights["resnets.1"], channels, channels) {}

Tensor WanMidBlock::forward(Tensor x, FeatureCache& cache) const {
  x = resnet0_.forward(std::move(x), cache);
  return resnet1_.forward(attention_.forward(x), cache);
}

}  // namespace t2v
