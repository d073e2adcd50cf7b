#include "autoencoders/autoencoder_kl_wan.h"

#include <sstream>
#include <utility>

namespace t2v {
namespace {

/// Frame `first` and those after it of video [1, c, t, h, w], as [count, c, h, w], channels last.
Tensor frames_of(const Tensor& video, int64_t first, int64_t count) {
  return video[0].narrow(1, first, count).transpose(0, 1).contiguous(at::MemoryFormat::ChannelsLast);
}

void expect_shape(const std::string& doing, const Tensor& tensor, int64_t channels, bool right,
                  const std::string& expected) {
  if (tensor.dim() == 5 && tensor.size(0) == 1 && tensor.size(1) == channels && tensor.numel() > 0 && right)
    return;
  std::ostringstream shape;
  shape << tensor.sizes();
  throw Error(ErrorCode::kInput, {.doing = doing, .got = "shape " + shape.str(), .expected = expected});
}

}  // namespace

AutoencoderKLWan::AutoencoderKLWan(const Weights& weights, AutoencoderKLWanConfig config, Parts parts)
    : config_(std::move(config)),
      post_quant_conv_(pointwise_conv(weights["post_quant_conv"], config_.z_dim, config_.z_dim, 5)),
      decoder_(weights["decoder"], config_) {
  if (parts == Parts::kDecoder) {
    weights["encoder"].ignore();
    weights["quant_conv"].ignore();
    return;
  }
  encoder_.emplace(weights["encoder"], config_);
  quant_conv_.emplace(pointwise_conv(weights["quant_conv"], 2 * config_.z_dim, 2 * config_.z_dim, 5));
}

Tensor AutoencoderKLWan::per_channel(const std::vector<double>& values, const Tensor& like) const {
  const Tensor column =
      at::tensor(at::ArrayRef<double>(values), at::kFloat).view({1, config_.z_dim, 1, 1, 1});
  return column.to(like.device(), like.scalar_type());
}

Tensor AutoencoderKLWan::denormalize(const Tensor& latents) const {
  // Through 1 / std and two roundings, as the reference does it.
  return latents / per_channel(config_.latents_std, latents).reciprocal() +
         per_channel(config_.latents_mean, latents);
}

Tensor AutoencoderKLWan::normalize(const Tensor& latents) const {
  return (latents - per_channel(config_.latents_mean, latents)) *
         per_channel(config_.latents_std, latents).reciprocal();
}

void AutoencoderKLWan::decode(const Tensor& latents,
                              const std::function<void(const Tensor&)>& on_chunk) const {
  expect_shape("decoding latents", latents, config_.z_dim, true,
               "[1, " + std::to_string(config_.z_dim) + ", frames, height, width]");
  FeatureCache cache;
  for (int64_t i = 0; i < latents.size(2); ++i) {
    const Tensor frames = decoder_.forward(post_quant_conv_(frames_of(latents, i, 1)), cache);
    on_chunk(frames.clamp(-1.0, 1.0).transpose(0, 1).unsqueeze(0));
  }
}

Tensor AutoencoderKLWan::encode(const Tensor& video) const {
  if (!encoder_)
    throw Error(ErrorCode::kBug, {.doing = "encoding video", .got = "a VAE without its encoder"});
  const int64_t step = config_.scale_factor_temporal, factor = config_.scale_factor_spatial;
  const bool right = video.dim() == 5 && video.size(2) % step == 1 % step && video.size(3) % factor == 0 &&
                     video.size(4) % factor == 0;
  expect_shape("encoding video", video, config_.in_channels, right,
               "[1, " + std::to_string(config_.in_channels) + ", 1 + a multiple of " + std::to_string(step) +
                   " frames, height and width multiples of " + std::to_string(factor) + "]");
  FeatureCache cache;
  std::vector<Tensor> means;
  for (int64_t i = 0; i < video.size(2); i += i == 0 ? 1 : step) {
    const Tensor moments = (*quant_conv_)(encoder_->forward(frames_of(video, i, i == 0 ? 1 : step), cache));
    means.push_back(moments.narrow(1, 0, config_.z_dim));
  }
  return at::stack(means, /*dim=*/2);
}

}  // namespace t2v
