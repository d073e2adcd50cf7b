#include "networks/autoencoders/autoencoder_kl_wan.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace t2v {
namespace {

/// `count` frames of video [1, c, t, h, w] from `first` on: [count, c, h, w], channels last.
Tensor frames_of(const Tensor& video, int64_t first, int64_t count) {
  return video[0].narrow(1, first, count).transpose(0, 1).contiguous(at::MemoryFormat::ChannelsLast);
}

/// Moves squares of patch x patch pixels into channels, column by column: [t, c, h, w] -> [t, c * patch^2, h
/// / patch, w / patch].
Tensor patchify(const Tensor& frames, int64_t patch) {
  if (patch == 1) return frames;
  const int64_t count = frames.size(0), channels = frames.size(1);
  const int64_t height = frames.size(2) / patch, width = frames.size(3) / patch;
  return frames.reshape({count, channels, height, patch, width, patch})
      .permute({0, 1, 5, 3, 2, 4})
      .reshape({count, channels * patch * patch, height, width});
}

/// The inverse of patchify.
Tensor unpatchify(const Tensor& frames, int64_t patch) {
  if (patch == 1) return frames;
  const int64_t count = frames.size(0), channels = frames.size(1) / (patch * patch);
  const int64_t height = frames.size(2), width = frames.size(3);
  return frames.reshape({count, channels, patch, patch, height, width})
      .permute({0, 1, 4, 3, 5, 2})
      .reshape({count, channels, height * patch, width * patch});
}

[[noreturn]] void refuse(const std::string& doing, at::IntArrayRef shape, const std::string& expected) {
  std::ostringstream text;
  text << shape;
  throw Error(ErrorCode::kInput, {.doing = doing, .got = "shape " + text.str(), .expected = expected});
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
  // The reference divides by 1 / std, which rounds twice.
  return latents / per_channel(config_.latents_std, latents).reciprocal() +
         per_channel(config_.latents_mean, latents);
}

Tensor AutoencoderKLWan::normalize(const Tensor& latents) const {
  return (latents - per_channel(config_.latents_mean, latents)) *
         per_channel(config_.latents_std, latents).reciprocal();
}

void AutoencoderKLWan::check_latents(const Tensor& latents) const {
  if (latents.dim() == 5 && latents.size(0) == 1 && latents.size(1) == config_.z_dim && latents.numel() > 0)
    return;
  refuse("decoding latents", latents.sizes(),
         "[1, " + std::to_string(config_.z_dim) + ", frames, height, width]");
}

void AutoencoderKLWan::check_tiling(const VaeTiling& tiling) const {
  const int64_t factor = config_.scale_factor_spatial;
  if (tiling.tile % factor == 0 && tiling.stride % factor == 0 && 0 < tiling.stride &&
      tiling.stride <= tiling.tile)
    return;
  throw Error(ErrorCode::kInput, {.doing = "tiling frames",
                                  .got = "tiles of " + std::to_string(tiling.tile) + " pixels every " +
                                         std::to_string(tiling.stride),
                                  .expected = "multiples of the VAE's factor, " + std::to_string(factor)});
}

void AutoencoderKLWan::run_decoder(const Tensor& latents,
                                   const std::function<void(const Tensor&)>& on_frames) const {
  FeatureCache cache;
  for (int64_t i = 0; i < latents.size(2); ++i)
    on_frames(decoder_.forward(post_quant_conv_(frames_of(latents, i, 1)), cache));
}

void AutoencoderKLWan::decode(const Tensor& latents,
                              const std::function<void(const Tensor&)>& on_chunk) const {
  check_latents(latents);
  run_decoder(latents, [&](const Tensor& frames) {
    on_chunk(unpatchify(frames, config_.patch_size).clamp(-1.0, 1.0).transpose(0, 1).unsqueeze(0));
  });
}

void AutoencoderKLWan::decode(const Tensor& latents, const VaeTiling& tiling,
                              const std::function<void(const Tensor&)>& on_chunk) const {
  check_latents(latents);
  check_tiling(tiling);
  const int64_t factor = config_.scale_factor_spatial, patch = config_.patch_size;
  const TileGrid grid{.height = latents.size(3),
                      .width = latents.size(4),
                      .tile = tiling.tile / factor,
                      .stride = tiling.stride / factor,
                      .numerator = factor / patch,
                      .denominator = 1,
                      .overlap = tiling.tile / patch - tiling.stride / patch};
  if (grid.height <= grid.tile && grid.width <= grid.tile) return decode(latents, on_chunk);

  const int64_t count = latents.size(2), total = grid.count() * count;
  int64_t done = 0;
  const Tensor clip = join_tiles(grid, [&](const TileArea& area) {
    std::vector<Tensor> frames;
    run_decoder(latents.narrow(3, area.top, area.height).narrow(4, area.left, area.width),
                [&](const Tensor& chunk) {
                  frames.push_back(chunk.to(at::kCPU));
                  if (tiling.on_progress) tiling.on_progress(++done, total);
                });
    return at::cat(frames);
  });
  int64_t first = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t length = i == 0 ? 1 : config_.scale_factor_temporal;
    const Tensor frames = unpatchify(clip.narrow(0, first, length), patch);
    on_chunk(frames.clamp(-1.0, 1.0).transpose(0, 1).unsqueeze(0));
    first += length;
  }
}

Tensor AutoencoderKLWan::run_encoder(const VideoSource& video, const TileArea& area,
                                     const std::function<void()>& on_frame) const {
  const int64_t step = config_.scale_factor_temporal;
  FeatureCache cache;
  std::vector<Tensor> means;
  for (int64_t i = 0; i < video.num_frames; i += i == 0 ? 1 : step) {
    const Tensor frames = video.frames(i, i == 0 ? 1 : step)[0].transpose(0, 1);
    const Tensor tile = patchify(frames, config_.patch_size)
                            .narrow(2, area.top, area.height)
                            .narrow(3, area.left, area.width)
                            .contiguous(at::MemoryFormat::ChannelsLast);
    means.push_back((*quant_conv_)(encoder_->forward(tile, cache)).narrow(1, 0, config_.z_dim));
    on_frame();
  }
  return at::stack(means, /*dim=*/2);
}

Tensor AutoencoderKLWan::encode(const VideoSource& video, const std::optional<VaeTiling>& tiling) const {
  if (!encoder_)
    throw Error(ErrorCode::kBug, {.doing = "encoding video", .got = "a VAE without its encoder"});
  const int64_t step = config_.scale_factor_temporal, factor = config_.scale_factor_spatial;
  const int64_t patch = config_.patch_size, channels = config_.in_channels / (patch * patch);
  const std::vector<int64_t> shape{1, channels, video.num_frames, video.height, video.width};
  if (video.num_frames % step != 1 % step || video.height % factor != 0 || video.width % factor != 0 ||
      std::min({video.num_frames, video.height, video.width}) < 1) {
    refuse("encoding video", shape,
           "[1, " + std::to_string(channels) + ", 1 + a multiple of " + std::to_string(step) +
               " frames, height and width multiples of " + std::to_string(factor) + "]");
  }
  const int64_t height = video.height / patch, width = video.width / patch;
  if (!tiling || (video.height <= tiling->tile && video.width <= tiling->tile))
    return run_encoder(video, {0, 0, height, width}, [] {});

  check_tiling(*tiling);
  // The reference cuts tiles after patchify(): these tiles are patch_size times as long in pixels.
  const TileGrid grid{.height = height,
                      .width = width,
                      .tile = tiling->tile,
                      .stride = tiling->stride,
                      .numerator = 1,
                      .denominator = factor / patch,
                      .overlap = (tiling->tile - tiling->stride) / (factor / patch)};
  const int64_t total = grid.count() * (1 + (video.num_frames - 1) / step);
  int64_t done = 0;
  return join_tiles(grid, [&](const TileArea& area) {
    return run_encoder(video, area, [&] {
      if (tiling->on_progress) tiling->on_progress(++done, total);
    });
  });
}

Tensor AutoencoderKLWan::encode(const Tensor& video, const std::optional<VaeTiling>& tiling) const {
  const int64_t channels = config_.in_channels / (config_.patch_size * config_.patch_size);
  if (video.dim() != 5 || video.size(0) != 1 || video.size(1) != channels) {
    refuse("encoding video", video.sizes(), "[1, " + std::to_string(channels) + ", frames, height, width]");
  }
  const auto frames = [&](int64_t first, int64_t count) { return video.narrow(2, first, count); };
  return encode({video.size(2), video.size(3), video.size(4), frames}, tiling);
}

}  // namespace t2v
