#include "networks/transformers/wan_attention.h"

#include "tensors/kernels/attention.h"

namespace t2v {
namespace {

/// Turns each pair (x[2j], x[2j + 1]) by its token's angle, in float32. x: [batch, tokens, heads, head_dim]
Tensor rotate(const Tensor& x, const RotaryEmb& rotary_emb) {
  const Tensor pairs = at::view_as_complex(x.to(at::kFloat).unflatten(-1, {-1, 2}));
  return at::view_as_real(pairs * rotary_emb.rotations).flatten(-2).to(x.scalar_type());
}

}  // namespace

WanAttention::ImageProjections::ImageProjections(const Weights& weights, const WanTransformer3DConfig& config)
    : add_k_proj(weights["add_k_proj"], config.dim(), config.dim()),
      add_v_proj(weights["add_v_proj"], config.dim(), config.dim()),
      norm_added_k(weights["norm_added_k"], config.dim(), config.eps) {}

WanAttention::WanAttention(const Weights& weights, const WanTransformer3DConfig& config, Sees sees)
    : num_heads_(config.num_attention_heads),
      to_q_(weights["to_q"], config.dim(), config.dim()),
      to_k_(weights["to_k"], config.dim(), config.dim()),
      to_v_(weights["to_v"], config.dim(), config.dim()),
      to_out_(weights["to_out.0"], config.dim(), config.dim()),
      norm_q_(weights["norm_q"], config.dim(), config.eps),
      norm_k_(weights["norm_k"], config.dim(), config.eps) {
  if (sees == Sees::kText) return;
  image_.emplace(weights, config);
  weights["norm_added_q"].ignore();  // older files have it, no version uses it
}

Tensor WanAttention::split_heads(const Tensor& x) const { return x.unflatten(-1, {num_heads_, -1}); }

Tensor WanAttention::operator()(const Tensor& hidden_states, const RotaryEmb& rotary_emb) const {
  const Tensor query = rotate(split_heads(norm_q_(to_q_(hidden_states))), rotary_emb);
  const Tensor key = rotate(split_heads(norm_k_(to_k_(hidden_states))), rotary_emb);
  const Tensor value = split_heads(to_v_(hidden_states));
  return to_out_(attention(query, key, value).flatten(-2));
}

Tensor WanAttention::operator()(const Tensor& hidden_states, const CrossContext& context) const {
  const Tensor query = split_heads(norm_q_(to_q_(hidden_states)));
  const auto& [key, value, row_bias] = context.text;
  Tensor attended = attention(query, key, value, row_bias).flatten(-2);
  if (context.image)
    attended = attended + attention(query, context.image->key, context.image->value).flatten(-2);
  return to_out_(attended);
}

CrossContext WanAttention::project(const EncoderHiddenStates& states) const {
  CrossContext context{
      .text = {split_heads(norm_k_(to_k_(states.text))), split_heads(to_v_(states.text)), states.row_bias},
      .image = std::nullopt};
  if (image_) {
    context.image = {split_heads(image_->norm_added_k(image_->add_k_proj(*states.image))),
                     split_heads(image_->add_v_proj(*states.image)), std::nullopt};
  }
  return context;
}

}  // namespace t2v
