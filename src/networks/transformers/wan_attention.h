#pragma once

#include <optional>

#include "families/wan/transformer_wan_config.h"
#include "networks/layers/linear.h"
#include "networks/layers/norm.h"
#include "networks/transformers/wan_embeddings.h"
#include "tensors/tensor.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// Keys and values of one cross-attention, each [batch, rows, heads, head_dim].
struct KeyValue {
  Tensor key, value;
  std::optional<Tensor> row_bias;  ///< [1, rows], added to the attention's logits
};

/// Keys and values of one block's cross-attention, computed once and used in every step. A batch of 1 serves
/// any batch of queries.
struct CrossContext {
  KeyValue text;
  std::optional<KeyValue> image;
};

/// Attention with a bias in every projection and queries and keys normalised over all heads together.
class WanAttention {
 public:
  enum class Sees { kText, kTextAndImage };

  /// kTextAndImage: cross-attention with keys and values of its own for an image.
  WanAttention(const Weights& weights, const WanTransformer3DConfig& config, Sees sees = Sees::kText);

  /// Self-attention. hidden_states: [batch, tokens, dim] -> the same shape
  Tensor operator()(const Tensor& hidden_states, const RotaryEmb& rotary_emb) const;
  /// Cross-attention. hidden_states: [batch, tokens, dim] -> the same shape
  Tensor operator()(const Tensor& hidden_states, const CrossContext& context) const;
  /// The keys and values for the cross-attention.
  CrossContext project(const EncoderHiddenStates& states) const;

 private:
  struct ImageProjections {
    ImageProjections(const Weights& weights, const WanTransformer3DConfig& config);
    Linear add_k_proj, add_v_proj;
    RMSNorm norm_added_k;
  };

  Tensor split_heads(const Tensor& x) const;  ///< [batch, rows, dim] -> [batch, rows, heads, head_dim]

  int64_t num_heads_;
  Linear to_q_, to_k_, to_v_, to_out_;
  RMSNorm norm_q_, norm_k_;
  std::optional<ImageProjections> image_;
};

}  // namespace t2v
