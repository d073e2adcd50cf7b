#include "networks/transformers/wan_embeddings.h"

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

namespace t2v {
namespace {

constexpr double kRopeTheta = 10000.0;
constexpr double kMaxPeriod = 10000.0;
/// The norms of the image embedder do not use the eps of the model.
constexpr double kImageNormEps = 1e-5;

/// The rotations of one axis: complex64 [length, axis_dim / 2]. Angles are float64, as in the reference.
Tensor axis_rotations(int64_t length, int64_t axis_dim, at::Device device) {
  const auto options = at::TensorOptions(at::kDouble).device(device);
  const Tensor frequencies = at::pow(kRopeTheta, at::arange(0, axis_dim, 2, options) / axis_dim).reciprocal();
  const Tensor angles = at::outer(at::arange(length, options), frequencies);
  return at::complex(angles.cos().to(at::kFloat), angles.sin().to(at::kFloat));
}

Tensor load_kernel(const Weights& weights, int64_t channels, const WanTransformer3DConfig& config) {
  const auto [p_t, p_h, p_w] = config.patch_size;
  return weights.tensor("weight", {config.dim(), channels, p_t, p_h, p_w}).flatten(1);
}

[[noreturn]] void reject_image(ErrorCode code, const std::string& got, const std::string& expected,
                               const std::string& advice) {
  throw Error(code, {.doing = "reading the image", .got = got, .expected = expected, .advice = advice});
}

}  // namespace

RotaryEmb rotary_emb(const WanTransformer3DConfig& config, std::array<int64_t, 3> grid, at::Device device) {
  for (const int64_t side : grid) {
    if (side <= config.rope_max_seq_len) continue;
    throw Error(ErrorCode::kUsage, {.doing = "denoising",
                                    .got = std::to_string(side) + " positions along one axis",
                                    .expected = "at most " + std::to_string(config.rope_max_seq_len),
                                    .advice = "ask for fewer frames or a smaller picture"});
  }
  const int64_t side_dim = 2 * (config.attention_head_dim / 6);
  const std::array<int64_t, 3> axis_dims = {config.attention_head_dim - 2 * side_dim, side_dim, side_dim};
  std::vector<Tensor> axes;
  for (size_t i = 0; i < 3; ++i) {
    std::array<int64_t, 4> shape = {1, 1, 1, -1};
    shape[i] = grid[i];
    axes.push_back(
        axis_rotations(grid[i], axis_dims[i], device).view(shape).expand({grid[0], grid[1], grid[2], -1}));
  }
  return {at::cat(axes, /*dim=*/-1).view({1, grid[0] * grid[1] * grid[2], 1, -1})};
}

WanPatchEmbedding::WanPatchEmbedding(const Weights& weights, int64_t channels,
                                     const WanTransformer3DConfig& config)
    : channels_(channels),
      patch_size_(config.patch_size),
      projection_(load_kernel(weights, channels, config), weights.tensor("bias", {config.dim()})) {}

Tensor WanPatchEmbedding::operator()(const Tensor& latents) const {
  if (latents.size(1) != channels_) {
    throw Error(ErrorCode::kInput, {.doing = "denoising",
                                    .got = "latents of " + std::to_string(latents.size(1)) + " channels",
                                    .expected = std::to_string(channels_),
                                    .advice = "the VAE does not belong to this transformer"});
  }
  for (int64_t i = 0; i < 3; ++i) {
    if (latents.size(i + 2) > 0 && latents.size(i + 2) % patch_size_[i] == 0) continue;
    const std::string axis = std::array{"frames", "rows", "columns"}[i];
    throw Error(ErrorCode::kUsage, {.doing = "denoising",
                                    .got = "latents of " + std::to_string(latents.size(i + 2)) + " " + axis,
                                    .expected = "a multiple of " + std::to_string(patch_size_[i])});
  }
  const auto [p_t, p_h, p_w] = patch_size_;
  return projection_(latents.to(projection_.device(), projection_.dtype())
                         .unflatten(4, {-1, p_w})
                         .unflatten(3, {-1, p_h})
                         .unflatten(2, {-1, p_t})            // [batch, channels, F, p_t, H, p_h, W, p_w]
                         .permute({0, 2, 4, 6, 1, 3, 5, 7})  // [batch, F, H, W, channels, p_t, p_h, p_w]
                         .flatten(4)
                         .flatten(1, 3));
}

WanImageEmbedding::WanImageEmbedding(const Weights& weights, const WanTransformer3DConfig& config)
    : image_dim_(*config.image_dim),
      norm1_(weights["norm1"], image_dim_, kImageNormEps),
      ff_in_(weights["ff.net.0.proj"], image_dim_, image_dim_),
      ff_out_(weights["ff.net.2"], image_dim_, config.dim()),
      norm2_(weights["norm2"], config.dim(), kImageNormEps) {
  if (config.pos_embed_seq_len) {
    pos_embed_ = weights.tensor("pos_embed", {1, *config.pos_embed_seq_len, image_dim_});
  }
}

Tensor WanImageEmbedding::operator()(const Tensor& image_embeds) const {
  if (image_embeds.size(2) != image_dim_) {
    reject_image(ErrorCode::kInput, "image embeddings of width " + std::to_string(image_embeds.size(2)),
                 std::to_string(image_dim_), "the image encoder does not belong to this transformer");
  }
  Tensor x = image_embeds.to(ff_in_.device(), ff_in_.dtype());
  if (pos_embed_) {
    const int64_t rows = pos_embed_->size(1);
    if (x.size(0) % 2 != 0) {
      reject_image(ErrorCode::kUsage, "one image", "a first and a last image", "give `end_image`");
    }
    if (2 * x.size(1) != rows) {
      reject_image(ErrorCode::kInput, std::to_string(x.size(1)) + " rows for each image",
                   std::to_string(rows) + " for two",
                   "the image encoder does not belong to this transformer");
    }
    x = x.reshape({-1, rows, image_dim_}) + *pos_embed_;
  }
  const Tensor inner = ff_in_.gelu(norm1_(x).to(x.scalar_type()));
  return norm2_(ff_out_(inner)).to(x.scalar_type());
}

WanTimeTextImageEmbedding::WanTimeTextImageEmbedding(const Weights& weights,
                                                     const WanTransformer3DConfig& config)
    : time_linear_1_(weights["time_embedder.linear_1"], config.freq_dim, config.dim()),
      time_linear_2_(weights["time_embedder.linear_2"], config.dim(), config.dim()),
      time_proj_(weights["time_proj"], config.dim(), 6 * config.dim()),
      text_linear_1_(weights["text_embedder.linear_1"], config.text_dim, config.dim()),
      text_linear_2_(weights["text_embedder.linear_2"], config.dim(), config.dim()) {
  const int64_t half = config.freq_dim / 2;
  const Tensor exponent = -std::log(kMaxPeriod) * at::arange(half, at::kFloat) / half;
  frequencies_ = exponent.exp().to(time_proj_.device());
  if (config.image_dim) image_embedder_.emplace(weights["image_embedder"], config);
}

TimeEmbedding WanTimeTextImageEmbedding::embed_time(const Tensor& timestep) const {
  if (timestep.dim() == 2) {
    const auto [distinct, rows] = at::_unique(timestep, /*sorted=*/true, /*return_inverse=*/true);
    TimeEmbedding time = embed_time(distinct);
    time.token_rows = rows.to(frequencies_.device());
    return time;
  }
  const Tensor angles = timestep.to(frequencies_.device(), at::kFloat).unsqueeze(1) * frequencies_;
  const Tensor sinusoid = at::cat({angles.cos(), angles.sin()}, /*dim=*/1).to(time_linear_1_.dtype());
  // The time embedder stays float32 in a lower dtype; the next layers do not.
  const Tensor temb = time_linear_2_(at::silu(time_linear_1_(sinusoid))).to(time_proj_.dtype());
  return {temb, time_proj_(at::silu(temb)).unflatten(1, {6, -1}), std::nullopt};
}

Tensor WanTimeTextImageEmbedding::embed_text(const Tensor& prompt_embeds) const {
  return text_linear_2_(text_linear_1_.gelu_tanh(prompt_embeds));
}

std::optional<Tensor> WanTimeTextImageEmbedding::embed_image(
    const std::optional<Tensor>& image_embeds) const {
  if (image_embeds && !image_embedder_) {
    reject_image(ErrorCode::kUsage, "image embeddings", "none: this transformer takes no image embeddings",
                 "leave the image encoder out");
  }
  if (!image_embeds && image_embedder_) {
    reject_image(ErrorCode::kUsage, "no image", "one: this is an image-to-video model", "give `image`");
  }
  if (!image_embeds) return std::nullopt;
  return (*image_embedder_)(*image_embeds);
}

}  // namespace t2v
