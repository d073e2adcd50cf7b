#pragma once

#include <optional>

#include "networks/autoencoders/conv2d.h"
#include "networks/autoencoders/feature_cache.h"
#include "networks/autoencoders/wan_causal_conv3d.h"
#include "networks/layers/norm.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// Two rounds of norm, SiLU and causal convolution beside a shortcut. (diffusers WanResidualBlock.)
class WanResidualBlock {
 public:
  WanResidualBlock(const Weights& weights, int64_t in_channels, int64_t out_channels);

  /// x [t, in, h, w], channels last -> [t, out, h, w]. May write the result into the
  /// memory of `x`.
  Tensor forward(Tensor x, FeatureCache& cache) const;

 private:
  ChannelRMSNorm norm1_;
  WanCausalConv3d conv1_;
  ChannelRMSNorm norm2_;
  WanCausalConv3d conv2_;
  std::optional<Conv2d> conv_shortcut_;  ///< if the number of channels changes
};

/// Self-attention of one head over the pixels of each frame. (diffusers WanAttentionBlock.)
class WanAttentionBlock {
 public:
  WanAttentionBlock(const Weights& weights, int64_t channels);

  /// x [t, channels, h, w], channels last -> the same shape
  Tensor forward(const Tensor& x) const;

 private:
  ChannelRMSNorm norm_;
  Conv2d to_qkv_;
  Conv2d proj_;
};

/// Residual block, attention, residual block. (diffusers WanMidBlock.)
class WanMidBlock {
 public:
  WanMidBlock(const Weights& weights, int64_t channels);

  /// As WanResidualBlock::forward.
  Tensor forward(Tensor x, FeatureCache& cache) const;

 private:
  WanResidualBlock resnet0_;
  WanAttentionBlock attention_;
  WanResidualBlock resnet1_;
};

/// A 1x1 convolution stored with `dimensions` - 2 trailing axes of size 1.
Conv2d pointwise_conv(const Weights& weights, int64_t in_channels, int64_t out_channels, int64_t dimensions);

}  // namespace t2v
