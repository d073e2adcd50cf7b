#include "transformers/transformer_wan.h"

#include <cmath>

#include <nlohmann/json.hpp>

namespace t2v {
namespace {

constexpr double kRopeTheta = 10000.0;
constexpr double kMaxPeriod = 10000.0;

/// (norm(x) * (1 + scale) + shift) in the dtype of the weights that follow.
Tensor modulate(const LayerNorm& norm, const Tensor& x, const Modulation& terms) {
  return at::addcmul(terms.shift, norm(x), 1 + terms.scale).to(x.scalar_type());
}

/// x + y * gate; the sum is taken in float32.
Tensor add_gated(const Tensor& x, const Tensor& y, const Modulation& terms) {
  return at::addcmul(x.to(at::kFloat), y.to(at::kFloat), terms.gate).to(x.scalar_type());
}

/// Turns each pair (x[2j], x[2j + 1]) by its token's angle, in float32. x: [batch, tokens, heads, head_dim]
Tensor rotate(const Tensor& x, const RotaryEmb& rotary_emb) {
  const Tensor pairs = at::view_as_complex(x.to(at::kFloat).unflatten(-1, {-1, 2}));
  return at::view_as_real(pairs * rotary_emb.rotations).flatten(-2).to(x.scalar_type());
}

/// The rotations of one axis: complex64 [length, axis_dim / 2]. Angles are float64, as in the reference.
Tensor axis_rotations(int64_t length, int64_t axis_dim, at::Device device) {
  const auto options = at::TensorOptions(at::kDouble).device(device);
  const Tensor frequencies = at::pow(kRopeTheta, at::arange(0, axis_dim, 2, options) / axis_dim).reciprocal();
  const Tensor angles = at::outer(at::arange(length, options), frequencies);
  return at::complex(angles.cos().to(at::kFloat), angles.sin().to(at::kFloat));
}

/// How many rows at the end of every prompt of the batch are zero. prompt_embeds: [batch, rows, text_dim]
int64_t count_padding_rows(const Tensor& prompt_embeds) {
  const Tensor used = prompt_embeds.ne(0).any(/*dim=*/-1).any(/*dim=*/0).nonzero();
  const int64_t last_used = used.numel() == 0 ? -1 : used.max().item<int64_t>();
  return prompt_embeds.size(1) - 1 - last_used;
}

[[noreturn]] void reject_shape(const std::string& got, const std::string& expected,
                               const std::string& advice) {
  throw Error(ErrorCode::kInput, {.doing = "denoising", .got = got, .expected = expected, .advice = advice});
}

void check_latents(const Tensor& latents, const WanTransformer3DConfig& config) {
  if (latents.size(1) != config.in_channels) {
    reject_shape("latents of " + std::to_string(latents.size(1)) + " channels",
                 std::to_string(config.in_channels), "the VAE does not belong to this transformer");
  }
  for (int64_t i = 0; i < 3; ++i) {
    const int64_t patch = config.patch_size[i];
    if (latents.size(i + 2) > 0 && latents.size(i + 2) % patch == 0) continue;
    const std::string axis = std::array{"frames", "rows", "columns"}[i];
    throw Error(ErrorCode::kUsage, {.doing = "denoising",
                                    .got = "latents of " + std::to_string(latents.size(i + 2)) + " " + axis,
                                    .expected = "a multiple of " + std::to_string(patch)});
  }
}

}  // namespace

WanTransformer3DConfig WanTransformer3DConfig::from_config(const Config& config) {
  for (const char* key : {"image_dim", "added_kv_proj_dim", "pos_embed_seq_len"}) {
    if (config.has(key)) config.fail(key, "null: image-to-video checkpoints are not supported yet");
  }
  const std::string norm = "rms_norm_across_heads";
  if (config.text("qk_norm", norm) != norm) config.fail("qk_norm", norm);

  WanTransformer3DConfig c;
  const auto patch_size = config.integers("patch_size", {1, 2, 2});
  if (patch_size.size() != 3) config.fail("patch_size", "three numbers");
  for (size_t i = 0; i < 3; ++i) {
    if (patch_size[i] < 1 || patch_size[i] > 64) config.fail("patch_size", "numbers from 1 to 64");
    c.patch_size[i] = patch_size[i];
  }
  c.num_attention_heads = config.integer("num_attention_heads", c.num_attention_heads);
  c.attention_head_dim = config.integer("attention_head_dim", c.attention_head_dim);
  if (c.attention_head_dim % 2 != 0) config.fail("attention_head_dim", "an even number");
  c.in_channels = config.integer("in_channels", c.in_channels);
  const bool same_channels = config.json().contains("out_channels") && !config.has("out_channels");
  c.out_channels = config.integer("out_channels", same_channels ? c.in_channels : c.out_channels);
  c.text_dim = config.integer("text_dim", c.text_dim);
  c.freq_dim = config.integer("freq_dim", c.freq_dim);
  if (c.freq_dim % 2 != 0) config.fail("freq_dim", "an even number");
  c.ffn_dim = config.integer("ffn_dim", c.ffn_dim);
  c.num_layers = config.integer("num_layers", c.num_layers);
  c.cross_attn_norm = config.boolean("cross_attn_norm", c.cross_attn_norm);
  c.eps = config.number("eps", c.eps);
  c.rope_max_seq_len = config.integer("rope_max_seq_len", c.rope_max_seq_len);
  return c;
}

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

WanAttention::WanAttention(const Weights& weights, const WanTransformer3DConfig& config)
    : num_heads_(config.num_attention_heads),
      to_q_(weights["to_q"], config.dim(), config.dim()),
      to_k_(weights["to_k"], config.dim(), config.dim()),
      to_v_(weights["to_v"], config.dim(), config.dim()),
      to_out_(weights["to_out.0"], config.dim(), config.dim()),
      norm_q_(weights["norm_q"], config.dim(), config.eps),
      norm_k_(weights["norm_k"], config.dim(), config.eps) {}

Tensor WanAttention::split_heads(const Tensor& x) const { return x.unflatten(-1, {num_heads_, -1}); }

Tensor WanAttention::operator()(const Tensor& hidden_states, const RotaryEmb& rotary_emb) const {
  const Tensor query = rotate(split_heads(norm_q_(to_q_(hidden_states))), rotary_emb);
  const Tensor key = rotate(split_heads(norm_k_(to_k_(hidden_states))), rotary_emb);
  const Tensor value = split_heads(to_v_(hidden_states));
  const Tensor attended =
      at::scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2));
  return to_out_(attended.transpose(1, 2).flatten(-2));
}

Tensor WanAttention::operator()(const Tensor& hidden_states, const KeyValue& context,
                                const std::optional<Tensor>& row_bias) const {
  const Tensor query = split_heads(norm_q_(to_q_(hidden_states))).transpose(1, 2);
  const auto whole_batch = [&](const Tensor& x) { return x.expand({query.size(0), -1, -1, -1}); };
  const Tensor attended =
      at::scaled_dot_product_attention(query, whole_batch(context.key), whole_batch(context.value), row_bias);
  return to_out_(attended.transpose(1, 2).flatten(-2));
}

KeyValue WanAttention::project(const Tensor& encoder_hidden_states) const {
  return {split_heads(norm_k_(to_k_(encoder_hidden_states))).transpose(1, 2),
          split_heads(to_v_(encoder_hidden_states)).transpose(1, 2)};
}

WanTransformerBlock::WanTransformerBlock(const Weights& weights, const WanTransformer3DConfig& config)
    : norm1_(config.dim(), config.eps),
      attn1_(weights["attn1"], config),
      attn2_(weights["attn2"], config),
      norm3_(config.dim(), config.eps),
      ffn_in_(weights["ffn.net.0.proj"], config.dim(), config.ffn_dim),
      ffn_out_(weights["ffn.net.2"], config.ffn_dim, config.dim()),
      scale_shift_table_(weights.tensor("scale_shift_table", {1, 6, config.dim()}).to(at::kFloat)) {
  if (config.cross_attn_norm) norm2_.emplace(weights["norm2"], config.dim(), config.eps);
}

Tensor WanTransformerBlock::forward(const Tensor& hidden_states, const KeyValue& context,
                                    const std::optional<Tensor>& row_bias, const Tensor& temb,
                                    const RotaryEmb& rotary_emb) const {
  // [batch, 6, dim] -> six terms, each [batch, 1, dim].
  const auto terms = (scale_shift_table_ + temb.to(at::kFloat)).chunk(6, /*dim=*/1);
  const Modulation self_attention{terms[0], terms[1], terms[2]};
  const Modulation feed_forward{terms[3], terms[4], terms[5]};

  // 1. Self-attention over every spacetime token.
  Tensor x = hidden_states;
  x = add_gated(x, attn1_(modulate(norm1_, x, self_attention), rotary_emb), self_attention);

  // 2. Cross-attention to the prompt; not gated.
  x = x + attn2_(norm2_ ? (*norm2_)(x).to(x.scalar_type()) : x, context, row_bias);

  // 3. Feed-forward.
  return add_gated(x, ffn_out_(ffn_in_.gelu_tanh(modulate(norm3_, x, feed_forward))), feed_forward);
}

WanTimeTextEmbedding::WanTimeTextEmbedding(const Weights& weights, const WanTransformer3DConfig& config)
    : time_linear_1_(weights["time_embedder.linear_1"], config.freq_dim, config.dim()),
      time_linear_2_(weights["time_embedder.linear_2"], config.dim(), config.dim()),
      time_proj_(weights["time_proj"], config.dim(), 6 * config.dim()),
      text_linear_1_(weights["text_embedder.linear_1"], config.text_dim, config.dim()),
      text_linear_2_(weights["text_embedder.linear_2"], config.dim(), config.dim()) {
  const int64_t half = config.freq_dim / 2;
  const Tensor exponent = -std::log(kMaxPeriod) * at::arange(half, at::kFloat) / half;
  frequencies_ = exponent.exp().to(time_proj_.device());
}

TimeEmbedding WanTimeTextEmbedding::embed_time(const Tensor& timestep) const {
  const Tensor angles = timestep.to(frequencies_.device(), at::kFloat).unsqueeze(1) * frequencies_;
  const Tensor sinusoid = at::cat({angles.cos(), angles.sin()}, /*dim=*/1).to(time_linear_1_.dtype());
  // The time embedder stays float32 in a lower dtype; what follows does not.
  const Tensor temb = time_linear_2_(at::silu(time_linear_1_(sinusoid))).to(time_proj_.dtype());
  return {temb, time_proj_(at::silu(temb)).unflatten(1, {6, -1})};
}

Tensor WanTimeTextEmbedding::embed_text(const Tensor& prompt_embeds) const {
  return text_linear_2_(text_linear_1_.gelu_tanh(prompt_embeds));
}

WanTransformer3DModel::WanTransformer3DModel(const Weights& weights, const WanTransformer3DConfig& config)
    : config_(config),
      patch_embedding_(
          weights
              .tensor("patch_embedding.weight", {config.dim(), config.in_channels, config.patch_size[0],
                                                 config.patch_size[1], config.patch_size[2]})
              .flatten(1),
          weights.tensor("patch_embedding.bias", {config.dim()})),
      condition_embedder_(weights["condition_embedder"], config),
      norm_out_(config.dim(), config.eps),
      proj_out_(weights["proj_out"], config.dim(), config.out_channels * config.patch_volume()),
      scale_shift_table_(weights.tensor("scale_shift_table", {1, 2, config.dim()}).to(at::kFloat)) {
  for (int64_t i = 0; i < config.num_layers; ++i) {
    blocks_.emplace_back(weights["blocks." + std::to_string(i)], config);
  }
}

std::vector<std::string> WanTransformer3DModel::keep_in_fp32() {
  return {"rope", "time_embedder", "scale_shift_table", "norm1", "norm2", "norm3"};
}

TextContext WanTransformer3DModel::prepare(const Tensor& prompt_embeds) const {
  if (prompt_embeds.size(2) != config_.text_dim) {
    reject_shape("prompt embeddings of width " + std::to_string(prompt_embeds.size(2)),
                 std::to_string(config_.text_dim), "the text encoder does not belong to this transformer");
  }
  Tensor rows = prompt_embeds.to(proj_out_.device(), proj_out_.dtype());
  TextContext context;
  // Not in bfloat16, which would round the logarithm by a percent; attention without a bias is also faster on
  // a GPU.
  if (const int64_t padding = count_padding_rows(rows); padding > 1 && rows.scalar_type() == at::kFloat) {
    rows = rows.slice(1, 0, rows.size(1) - padding + 1);
    context.row_bias = at::zeros({1, rows.size(1)}, rows.options());
    context.row_bias->select(1, -1).fill_(std::log(static_cast<double>(padding)));
  }
  const Tensor encoder_hidden_states = condition_embedder_.embed_text(rows);
  for (const WanTransformerBlock& block : blocks_)
    context.blocks.push_back(block.project(encoder_hidden_states));
  return context;
}

Tensor WanTransformer3DModel::forward(const Tensor& hidden_states, const Tensor& timestep,
                                      const TextContext& context) const {
  check_latents(hidden_states, config_);
  const auto size = hidden_states.sizes();
  const RotaryEmb rotary = rotary_emb(
      config_,
      {size[2] / config_.patch_size[0], size[3] / config_.patch_size[1], size[4] / config_.patch_size[2]},
      proj_out_.device());

  Tensor x = patch_embedding_(patchify(hidden_states.to(proj_out_.device(), proj_out_.dtype())));
  const TimeEmbedding time = condition_embedder_.embed_time(timestep);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    x = blocks_[i].forward(x, context.blocks[i], context.row_bias, time.timestep_proj, rotary);
  }

  const auto terms = (scale_shift_table_ + time.temb.unsqueeze(1)).chunk(2, /*dim=*/1);
  x = proj_out_(modulate(norm_out_, x, {.shift = terms[0], .scale = terms[1], .gate = {}}));
  return unpatchify(x, size);
}

Tensor WanTransformer3DModel::patchify(const Tensor& latents) const {
  const auto [p_t, p_h, p_w] = config_.patch_size;
  return latents.unflatten(4, {-1, p_w})
      .unflatten(3, {-1, p_h})
      .unflatten(2, {-1, p_t})            // [batch, channels, F, p_t, H, p_h, W, p_w]
      .permute({0, 2, 4, 6, 1, 3, 5, 7})  // [batch, F, H, W, channels, p_t, p_h, p_w]
      .flatten(4)
      .flatten(1, 3);
}

Tensor WanTransformer3DModel::unpatchify(const Tensor& patches, at::IntArrayRef latents_shape) const {
  const auto [p_t, p_h, p_w] = config_.patch_size;
  return patches
      .view({latents_shape[0], latents_shape[2] / p_t, latents_shape[3] / p_h, latents_shape[4] / p_w, p_t,
             p_h, p_w, config_.out_channels})
      .permute({0, 7, 1, 4, 2, 5, 3, 6})  // [batch, channels, F, p_t, H, p_h, W, p_w]
      .flatten(6, 7)
      .flatten(4, 5)
      .flatten(2, 3);
}

}  // namespace t2v
