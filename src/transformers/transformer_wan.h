#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/tensor.h"
#include "layers/linear.h"
#include "layers/norm.h"
#include "weights/weights.h"

namespace t2v {

/// The transformer's config.json; a missing key has the value of diffusers' WanTransformer3DModel.
struct WanTransformer3DConfig {
  std::array<int64_t, 3> patch_size = {1, 2, 2};  ///< frames, height, width
  int64_t num_attention_heads = 40;
  int64_t attention_head_dim = 128;
  int64_t in_channels = 16;
  int64_t out_channels = 16;
  int64_t text_dim = 4096;
  int64_t freq_dim = 256;
  int64_t ffn_dim = 13824;
  int64_t num_layers = 40;
  bool cross_attn_norm = true;
  double eps = 1e-6;
  int64_t rope_max_seq_len = 1024;

  /// Error (kInput) for values that no text-to-video model has, and for image-to-video checkpoints.
  static WanTransformer3DConfig from_config(const Config& config);
  int64_t dim() const { return num_attention_heads * attention_head_dim; }
  int64_t patch_volume() const { return patch_size[0] * patch_size[1] * patch_size[2]; }
};

/// Rotations of the query and key pairs of every token: complex64 [1, tokens, 1, head_dim / 2] (Su et al.
/// 2021, arXiv:2104.09864, over three axes).
struct RotaryEmb {
  Tensor rotations;
};

/// The rotations for a grid of frames x height x width tokens. Error (kUsage) for a side above
/// rope_max_seq_len.
RotaryEmb rotary_emb(const WanTransformer3DConfig& config, std::array<int64_t, 3> grid, at::Device device);

/// Keys and values of one cross-attention, each [batch, heads, rows, head_dim].
struct KeyValue {
  Tensor key, value;
};

/// A prompt as the blocks want it, computed once and used in every step. In float32, equal rows at the
/// prompt's end, which its zero padding becomes, are kept once: `row_bias` [1, rows] adds the logarithm of
/// their number to that row's attention logit.
struct TextContext {
  std::vector<KeyValue> blocks;
  std::optional<Tensor> row_bias;
};

/// Attention with a bias in every projection and queries and keys normalised over all heads together.
class WanAttention {
 public:
  WanAttention(const Weights& weights, const WanTransformer3DConfig& config);

  /// Self-attention. hidden_states: [batch, tokens, dim] -> the same shape
  Tensor operator()(const Tensor& hidden_states, const RotaryEmb& rotary_emb) const;
  /// Cross-attention to what `project` made of a prompt. hidden_states: [batch, tokens, dim] -> the same
  /// shape
  Tensor operator()(const Tensor& hidden_states, const KeyValue& context,
                    const std::optional<Tensor>& row_bias) const;
  /// encoder_hidden_states: [batch, rows, dim]
  KeyValue project(const Tensor& encoder_hidden_states) const;

 private:
  Tensor split_heads(const Tensor& x) const;  ///< [batch, rows, dim] -> [batch, rows, heads, head_dim]

  int64_t num_heads_;
  Linear to_q_, to_k_, to_v_, to_out_;
  RMSNorm norm_q_, norm_k_;
};

/// AdaLN-Zero terms of one sub-layer, each [batch, 1, dim] in float32 (Peebles & Xie 2022, arXiv:2212.09748).
struct Modulation {
  Tensor shift, scale, gate;
};

class WanTransformerBlock {
 public:
  WanTransformerBlock(const Weights& weights, const WanTransformer3DConfig& config);

  /// hidden_states: [batch, tokens, dim]; temb: [batch, 6, dim] -> like hidden_states
  Tensor forward(const Tensor& hidden_states, const KeyValue& context, const std::optional<Tensor>& row_bias,
                 const Tensor& temb, const RotaryEmb& rotary_emb) const;
  /// encoder_hidden_states: [batch, rows, dim], the prompt after the text embedder
  KeyValue project(const Tensor& encoder_hidden_states) const {
    return attn2_.project(encoder_hidden_states);
  }

 private:
  LayerNorm norm1_;
  WanAttention attn1_;
  std::optional<LayerNorm> norm2_;
  WanAttention attn2_;
  LayerNorm norm3_;
  Linear ffn_in_, ffn_out_;
  Tensor scale_shift_table_;  ///< [1, 6, dim] float32
};

/// What the timestep adds to the blocks and to the output.
struct TimeEmbedding {
  Tensor temb;           ///< [batch, dim]
  Tensor timestep_proj;  ///< [batch, 6, dim]
};

/// Embeds timestep and prompt.
class WanTimeTextEmbedding {
 public:
  WanTimeTextEmbedding(const Weights& weights, const WanTransformer3DConfig& config);

  TimeEmbedding embed_time(const Tensor& timestep) const;  ///< [batch]
  Tensor embed_text(const Tensor& prompt_embeds) const;    ///< [batch, rows, text_dim] -> [batch, rows, dim]

 private:
  Tensor frequencies_;  ///< [freq_dim / 2] float32
  Linear time_linear_1_, time_linear_2_, time_proj_, text_linear_1_, text_linear_2_;
};

/// Wan's denoiser (diffusers' WanTransformer3DModel), text-to-video.
class WanTransformer3DModel {
 public:
  WanTransformer3DModel(const Weights& weights, const WanTransformer3DConfig& config);

  /// Parts of tensor names that stay float32 in a lower dtype, as in the reference: for
  /// LoadOptions::keep_in_fp32.
  static std::vector<std::string> keep_in_fp32();

  /// prompt_embeds: [batch, rows, text_dim], zero rows after the prompt, 512 in all for a trained checkpoint.
  /// Error (kInput) for another text_dim.
  TextContext prepare(const Tensor& prompt_embeds) const;

  /// hidden_states: [batch, in_channels, frames, height, width]; timestep: [batch], integers or floats; a
  /// batch of 1 in `context` serves any batch -> noise_pred [batch, out_channels, frames, height, width] in
  /// the dtype of the weights. Error (kUsage) for sizes that are not multiples of the patch size, (kInput)
  /// for other channels.
  Tensor forward(const Tensor& hidden_states, const Tensor& timestep, const TextContext& context) const;

 private:
  Tensor patchify(const Tensor& latents) const;  ///< -> [batch, tokens, in_channels * patch_volume]
  Tensor unpatchify(const Tensor& patches, at::IntArrayRef latents_shape) const;

  WanTransformer3DConfig config_;
  Linear patch_embedding_;
  WanTimeTextEmbedding condition_embedder_;
  std::vector<WanTransformerBlock> blocks_;
  LayerNorm norm_out_;
  Linear proj_out_;
  Tensor scale_shift_table_;  ///< [1, 2, dim] float32
};

}  // namespace t2v
