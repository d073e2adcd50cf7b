#include "networks/transformers/transformer_wan.h"

#include <cmath>
#include <utility>

namespace t2v {
namespace {

/// AdaLN-Zero terms of one sub-layer in float32 (Peebles & Xie 2022, arXiv:2212.09748), each [rows, 1, dim]
/// with the rows of `time`.
struct Modulation {
  Tensor shift, scale, gate;
  const TimeEmbedding& time;

  /// A term for every token: [batch, 1 or tokens, dim].
  Tensor spread(const Tensor& term) const {
    return time.token_rows ? at::embedding(term.squeeze(1), *time.token_rows) : term;
  }
};

/// (norm(x) * (1 + scale) + shift) in the dtype of the weights that follow.
Tensor modulate(const LayerNorm& norm, const Tensor& x, const Modulation& terms) {
  return at::addcmul(terms.spread(terms.shift), norm(x), terms.spread(1 + terms.scale))
      .to(terms.time.dtype());
}

/// x + y * gate in float32, the dtype of x.
Tensor add_gated(const Tensor& x, const Tensor& y, const Modulation& terms) {
  return at::addcmul(x, y.to(at::kFloat), terms.spread(terms.gate));
}

/// Number of zero rows at the end of every prompt of the batch. prompt_embeds: [batch, rows, text_dim]
int64_t count_padding_rows(const Tensor& prompt_embeds) {
  if (prompt_embeds.is_meta()) return 0;  // a tensor without values has no known zero rows
  const Tensor used = prompt_embeds.ne(0).any(/*dim=*/-1).any(/*dim=*/0).nonzero();
  const int64_t last_used = used.numel() == 0 ? -1 : used.max().item<int64_t>();
  return prompt_embeds.size(1) - 1 - last_used;
}

[[noreturn]] void reject(ErrorCode code, const std::string& got, const std::string& expected,
                         const std::string& advice) {
  throw Error(code, {.doing = "denoising", .got = got, .expected = expected, .advice = advice});
}

/// Joins image and prompt rows, for a model without separate keys and values for images.
EncoderHiddenStates join(const EncoderHiddenStates& states) {
  const int64_t batch = states.text.size(0);
  EncoderHiddenStates joined{at::cat({states.image->expand({batch, -1, -1}), states.text}, 1), std::nullopt,
                             std::nullopt};
  if (states.row_bias) joined.row_bias = at::constant_pad_nd(*states.row_bias, {states.image->size(1), 0});
  return joined;
}

}  // namespace

WanTransformerBlock::WanTransformerBlock(const Weights& weights, const WanTransformer3DConfig& config)
    : norm1_(config.eps),
      attn1_(weights["attn1"], config),
      attn2_(weights["attn2"], config,
             config.added_kv_proj_dim ? WanAttention::Sees::kTextAndImage : WanAttention::Sees::kText),
      norm3_(config.eps),
      ffn_in_(weights["ffn.net.0.proj"], config.dim(), config.ffn_dim),
      ffn_out_(weights["ffn.net.2"], config.ffn_dim, config.dim()),
      scale_shift_table_(weights.tensor("scale_shift_table", {1, 6, config.dim()}).to(at::kFloat)) {
  if (config.cross_attn_norm) norm2_.emplace(weights["norm2"], config.dim(), config.eps);
}

Tensor WanTransformerBlock::forward(const Tensor& hidden_states, const CrossContext& context,
                                    const TimeEmbedding& time, const RotaryEmb& rotary_emb) const {
  // [rows, 6, dim] -> six terms, each [rows, 1, dim].
  const auto terms = (scale_shift_table_ + time.timestep_proj.to(at::kFloat)).chunk(6, /*dim=*/1);
  const Modulation self_attention{terms[0], terms[1], terms[2], time};
  const Modulation feed_forward{terms[3], terms[4], terms[5], time};

  // 1. Self-attention over every spacetime token.
  Tensor x = hidden_states;
  x = add_gated(x, attn1_(modulate(norm1_, x, self_attention), rotary_emb), self_attention);

  // 2. Cross-attention to prompt and image; not gated.
  x = x + attn2_((norm2_ ? (*norm2_)(x) : x).to(time.dtype()), context);

  // 3. Feed-forward.
  return add_gated(x, ffn_out_(ffn_in_.gelu_tanh(modulate(norm3_, x, feed_forward))), feed_forward);
}

WanTransformer3DModel::WanTransformer3DModel(const Weights& weights, const WanTransformer3DConfig& config,
                                             BlockResidency residency)
    : config_(config),
      patch_embedding_(weights["patch_embedding"], config.in_channels, config),
      condition_embedder_(weights["condition_embedder"], config),
      blocks_(
          weights["blocks"], config.num_layers,
          [config](const Weights& block, int64_t) { return WanTransformerBlock(block, config); }, residency),
      norm_out_(config.eps),
      proj_out_(weights["proj_out"], config.dim(), config.out_channels * config.patch_volume()),
      scale_shift_table_(weights.tensor("scale_shift_table", {1, 2, config.dim()}).to(at::kFloat)) {}

std::vector<std::string> WanTransformer3DModel::keep_in_fp32() {
  return {"rope", "time_embedder", "scale_shift_table", "norm1", "norm2", "norm3"};
}

EncoderHiddenStates WanTransformer3DModel::embed_condition(const Tensor& prompt_embeds,
                                                           const std::optional<Tensor>& image_embeds) const {
  if (prompt_embeds.size(2) != config_.text_dim) {
    reject(ErrorCode::kInput, "prompt embeddings of width " + std::to_string(prompt_embeds.size(2)),
           std::to_string(config_.text_dim), "the text encoder does not belong to this transformer");
  }
  Tensor rows = prompt_embeds.to(proj_out_.device(), proj_out_.dtype());
  EncoderHiddenStates states;
  // Not in bfloat16: it would round the logarithm by a percent, and attention without a bias is faster on a
  // GPU.
  if (const int64_t padding = count_padding_rows(rows); padding > 1 && rows.scalar_type() == at::kFloat) {
    rows = rows.slice(1, 0, rows.size(1) - padding + 1);
    states.row_bias = at::zeros({1, rows.size(1)}, rows.options());
    states.row_bias->select(1, -1).fill_(std::log(static_cast<double>(padding)));
  }
  states.text = condition_embedder_.embed_text(rows);
  states.image = condition_embedder_.embed_image(image_embeds);
  if (!states.image) return states;
  if (const int64_t images = states.image->size(0); images != 1 && images != rows.size(0)) {
    reject(ErrorCode::kUsage,
           std::to_string(images) + " images for " + std::to_string(rows.size(0)) + " prompts",
           "one image for each prompt", "this transformer takes no last image: leave `end_image` out");
  }
  return config_.added_kv_proj_dim ? states : join(states);
}

TextContext WanTransformer3DModel::prepare(const Tensor& prompt_embeds,
                                           const std::optional<Tensor>& image_embeds) const {
  return {project_all(blocks_, embed_condition(prompt_embeds, image_embeds))};
}

WanTransformer3DModel::Embedded WanTransformer3DModel::embed(const Tensor& latents,
                                                             const Tensor& timestep) const {
  // The residual stream is float32 for weights of every dtype, as in the original Wan code: each block adds a
  // small value to a large one, and bfloat16 keeps only 8 bits of the sum.
  const Tensor hidden_states = patch_embedding_(latents).to(at::kFloat);
  if (timestep.dim() == 2 && timestep.size(1) != hidden_states.size(1)) {
    reject(ErrorCode::kInput, std::to_string(timestep.size(1)) + " timesteps",
           std::to_string(hidden_states.size(1)) + ", one for each token", "this is a bug in t2v");
  }
  const auto [p_t, p_h, p_w] = config_.patch_size;
  return {
      .hidden_states = hidden_states,
      .time = condition_embedder_.embed_time(timestep),
      .rotary_emb = rotary_emb(config_, {latents.size(2) / p_t, latents.size(3) / p_h, latents.size(4) / p_w},
                               proj_out_.device())};
}

Tensor WanTransformer3DModel::forward(const Tensor& hidden_states, const Tensor& timestep,
                                      const TextContext& context, const AroundBlocks& around) const {
  const Embedded embedded = embed(hidden_states, timestep);
  const auto all_blocks = [&] {
    Tensor x = embedded.hidden_states;
    BlockSource<WanTransformerBlock>::Pass blocks(blocks_);
    for (const CrossContext& block_context : context.blocks) {
      x = blocks.next().forward(x, block_context, embedded.time, embedded.rotary_emb);
    }
    return x;
  };
  const Tensor x = around ? around(embedded.hidden_states, embedded.time.temb, all_blocks) : all_blocks();
  return project_out(x, embedded.time, hidden_states.sizes());
}

Tensor WanTransformer3DModel::project_out(const Tensor& hidden_states, const TimeEmbedding& time,
                                          at::IntArrayRef latents_shape) const {
  const auto terms = (scale_shift_table_ + time.temb.unsqueeze(1)).chunk(2, /*dim=*/1);
  const Modulation output{.shift = terms[0], .scale = terms[1], .gate = {}, .time = time};
  const auto [p_t, p_h, p_w] = config_.patch_size;
  return proj_out_(modulate(norm_out_, hidden_states, output))
      .to(at::kFloat)
      .view({latents_shape[0], latents_shape[2] / p_t, latents_shape[3] / p_h, latents_shape[4] / p_w, p_t,
             p_h, p_w, config_.out_channels})
      .permute({0, 7, 1, 4, 2, 5, 3, 6})  // [batch, channels, F, p_t, H, p_h, W, p_w]
      .flatten(6, 7)
      .flatten(4, 5)
      .flatten(2, 3);
}

}  // namespace t2v
