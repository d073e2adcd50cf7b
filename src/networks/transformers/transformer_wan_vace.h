#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "networks/transformers/transformer_wan.h"

namespace t2v {

/// A block of the control branch: a transformer block over the control's own residual stream, whose output,
/// projected, is a hint for one block of the main branch.
class WanVACETransformerBlock {
 public:
  /// The first block adds the residual stream of the main branch to the control.
  WanVACETransformerBlock(const Weights& weights, const WanTransformer3DConfig& config, bool is_first);

  struct Output {
    Tensor hint, control_hidden_states;
  };
  /// hidden_states: the input of the first block of the main branch. Inputs and outputs: [batch, tokens, dim]
  Output forward(const Tensor& hidden_states, const Tensor& control_hidden_states,
                 const CrossContext& context, const TimeEmbedding& time, const RotaryEmb& rotary_emb) const;
  /// As WanTransformerBlock.
  CrossContext project(const EncoderHiddenStates& states) const { return block_.project(states); }

 private:
  std::optional<Linear> proj_in_;
  WanTransformerBlock block_;
  Linear proj_out_;
};

/// A prompt for both branches.
struct VACEContext {
  TextContext transformer, vace;
};

/// Wan's denoiser with a branch that sees control latents (diffusers' WanVACETransformer3DModel).
class WanVACETransformer3DModel {
 public:
  WanVACETransformer3DModel(const Weights& weights, const WanVACETransformer3DConfig& config,
                            BlockResidency residency = {});

  static std::vector<std::string> block_prefixes() { return {"blocks.", "vace_blocks."}; }

  /// As WanTransformer3DModel, without images.
  VACEContext prepare(const Tensor& prompt_embeds) const;

  /// hidden_states, timestep and noise_pred as WanTransformer3DModel; control: [batch, vace_in_channels,
  /// frames, height, width] with no more patches than hidden_states; scale: the weight of each of
  /// vace_layers. Error (kUsage) for another number of scales, and as WanTransformer3DModel.
  Tensor forward(const Tensor& hidden_states, const Tensor& timestep, const VACEContext& context,
                 const Tensor& control, const std::vector<double>& scale,
                 const AroundBlocks& around = {}) const;

 private:
  Tensor run_blocks(const WanTransformer3DModel::Embedded& input, const VACEContext& context,
                    const Tensor& control, const std::vector<double>& scale) const;
  Tensor embed_control(const Tensor& control, int64_t tokens) const;  ///< -> [batch, tokens, dim]

  WanVACETransformer3DConfig config_;
  WanTransformer3DModel transformer_;
  WanPatchEmbedding vace_patch_embedding_;
  BlockSource<WanVACETransformerBlock> vace_blocks_;
};

}  // namespace t2v
