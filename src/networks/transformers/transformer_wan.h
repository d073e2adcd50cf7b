#pragma once

#include <optional>
#include <string>
#include <vector>

#include "families/wan/transformer_wan_config.h"
#include "networks/layers/linear.h"
#include "networks/layers/norm.h"
#include "networks/transformers/wan_attention.h"
#include "networks/transformers/wan_embeddings.h"
#include "tensors/around_blocks.h"
#include "tensors/tensor.h"
#include "tensors/weights/block_source.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// Keys and values of the blocks for a prompt and, if the model sees one, an image: computed once and used in
/// every step. In float32 the equal rows of the prompt's zero padding are kept once; the row bias adds the
/// logarithm of their number to the row's attention logit.
struct TextContext {
  std::vector<CrossContext> blocks;
};

class WanTransformerBlock {
 public:
  WanTransformerBlock(const Weights& weights, const WanTransformer3DConfig& config);

  /// hidden_states: [batch, tokens, dim] in float32 -> the same
  Tensor forward(const Tensor& hidden_states, const CrossContext& context, const TimeEmbedding& time,
                 const RotaryEmb& rotary_emb) const;
  /// The block's part of `context`.
  CrossContext project(const EncoderHiddenStates& states) const { return attn2_.project(states); }

 private:
  LayerNorm norm1_;
  WanAttention attn1_;
  std::optional<LayerNorm> norm2_;
  WanAttention attn2_;
  LayerNorm norm3_;
  Linear ffn_in_, ffn_out_;
  Tensor scale_shift_table_;  ///< [1, 6, dim] float32
};

/// Wan's denoiser (diffusers' WanTransformer3DModel).
class WanTransformer3DModel {
 public:
  WanTransformer3DModel(const Weights& weights, const WanTransformer3DConfig& config,
                        BlockResidency residency = {});

  /// LoadOptions::keep_in_fp32, as in the reference.
  static std::vector<std::string> keep_in_fp32();
  /// Prefixes of the tensors of each stack of blocks: for StreamedMemory.
  static std::vector<std::string> block_prefixes() { return {"blocks."}; }

  /// prompt_embeds: [batch, rows, text_dim], zero rows after the prompt, 512 in all for a trained checkpoint;
  /// image_embeds: [images, rows, image_dim], if and only if the model has an image_dim, two images for each
  /// prompt if it has a pos_embed_seq_len. Error (kInput) for other widths, (kUsage) for other images.
  TextContext prepare(const Tensor& prompt_embeds,
                      const std::optional<Tensor>& image_embeds = std::nullopt) const;

  /// hidden_states: [batch, in_channels, frames, height, width]; timestep: [batch], or [batch, tokens] on the
  /// CPU, integers or floats; a batch of 1 in `context` serves any batch -> noise_pred [batch, out_channels,
  /// frames, height, width] in float32. Error (kUsage) for sizes that are not multiples of the patch size,
  /// (kInput) for other channels. `around`: goes around the loop over the blocks; may be empty.
  Tensor forward(const Tensor& hidden_states, const Tensor& timestep, const TextContext& context,
                 const AroundBlocks& around = {}) const;

  // The parts of forward(), for a model with more blocks beside these.

  /// The residual stream before the first block, and the inputs that all blocks share.
  struct Embedded {
    Tensor hidden_states;  ///< [batch, tokens, dim]
    TimeEmbedding time;
    RotaryEmb rotary_emb;
  };
  Embedded embed(const Tensor& latents, const Tensor& timestep) const;
  EncoderHiddenStates embed_condition(const Tensor& prompt_embeds,
                                      const std::optional<Tensor>& image_embeds) const;
  const BlockSource<WanTransformerBlock>& blocks() const { return blocks_; }
  /// -> noise_pred for latents of `latents_shape`
  Tensor project_out(const Tensor& hidden_states, const TimeEmbedding& time,
                     at::IntArrayRef latents_shape) const;

 private:
  WanTransformer3DConfig config_;
  WanPatchEmbedding patch_embedding_;
  WanTimeTextImageEmbedding condition_embedder_;
  BlockSource<WanTransformerBlock> blocks_;
  LayerNorm norm_out_;
  Linear proj_out_;
  Tensor scale_shift_table_;  ///< [1, 2, dim] float32
};

/// Keys and values of every block for the states of the encoders.
template <typename Block>
std::vector<CrossContext> project_all(const BlockSource<Block>& blocks, const EncoderHiddenStates& states) {
  std::vector<CrossContext> contexts;
  typename BlockSource<Block>::Pass pass(blocks);
  for (int64_t i = 0; i < blocks.size(); ++i) contexts.push_back(pass.next().project(states));
  return contexts;
}

}  // namespace t2v
