#include "networks/transformers/transformer_wan_vace.h"

namespace t2v {

WanVACETransformerBlock::WanVACETransformerBlock(const Weights& weights, const WanTransformer3DConfig& config,
                                                 bool is_first)
    : block_(weights, config), proj_out_(weights["proj_out"], config.dim(), config.dim()) {
  if (is_first) proj_in_.emplace(weights["proj_in"], config.dim(), config.dim());
}

WanVACETransformerBlock::Output WanVACETransformerBlock::forward(const Tensor& hidden_states,
                                                                 const Tensor& control_hidden_states,
                                                                 const CrossContext& context,
                                                                 const TimeEmbedding& time,
                                                                 const RotaryEmb& rotary_emb) const {
  const Tensor x = proj_in_ ? (*proj_in_)(control_hidden_states) + hidden_states : control_hidden_states;
  const Tensor control = block_.forward(x, context, time, rotary_emb);
  return {.hint = proj_out_(control.to(time.dtype())), .control_hidden_states = control};
}

WanVACETransformer3DModel::WanVACETransformer3DModel(const Weights& weights,
                                                     const WanVACETransformer3DConfig& config,
                                                     BlockResidency residency)
    : config_(config),
      transformer_(weights, config.transformer, residency),
      vace_patch_embedding_(weights["vace_patch_embedding"], config.vace_in_channels, config.transformer),
      vace_blocks_(
          weights["vace_blocks"], static_cast<int64_t>(config.vace_layers.size()),
          [transformer = config.transformer](const Weights& block, int64_t index) {
            return WanVACETransformerBlock(block, transformer, /*is_first=*/index == 0);
          },
          residency) {}

VACEContext WanVACETransformer3DModel::prepare(const Tensor& prompt_embeds) const {
  const EncoderHiddenStates states = transformer_.embed_condition(prompt_embeds, std::nullopt);
  return {.transformer = {project_all(transformer_.blocks(), states)},
          .vace = {project_all(vace_blocks_, states)}};
}

Tensor WanVACETransformer3DModel::embed_control(const Tensor& control, int64_t tokens) const {
  const Tensor embedded = vace_patch_embedding_(control);
  if (embedded.size(1) > tokens) {
    throw Error(ErrorCode::kUsage,
                {.doing = "denoising",
                 .got = "control latents of " + std::to_string(embedded.size(1)) + " patches",
                 .expected = "at most " + std::to_string(tokens) + ", the clip's",
                 .advice = "give a control video of the clip's size and length"});
  }
  return at::constant_pad_nd(embedded, {0, 0, 0, tokens - embedded.size(1)});
}

Tensor WanVACETransformer3DModel::forward(const Tensor& hidden_states, const Tensor& timestep,
                                          const VACEContext& context, const Tensor& control,
                                          const std::vector<double>& scale,
                                          const AroundBlocks& around) const {
  if (scale.size() != config_.vace_layers.size()) {
    throw Error(ErrorCode::kUsage,
                {.doing = "denoising",
                 .got = std::to_string(scale.size()) + " scales of the control",
                 .expected = std::to_string(config_.vace_layers.size()) + " or one for all"});
  }
  const WanTransformer3DModel::Embedded embedded = transformer_.embed(hidden_states, timestep);
  const auto all_blocks = [&] { return run_blocks(embedded, context, control, scale); };
  const Tensor x = around ? around(embedded.hidden_states, embedded.time.temb, all_blocks) : all_blocks();
  return transformer_.project_out(x, embedded.time, hidden_states.sizes());
}

Tensor WanVACETransformer3DModel::run_blocks(const WanTransformer3DModel::Embedded& input,
                                             const VACEContext& context, const Tensor& control,
                                             const std::vector<double>& scale) const {
  const auto& [embedded, time, rotary] = input;
  Tensor control_hidden_states = embed_control(control, embedded.size(1));
  Tensor x = embedded;
  BlockSource<WanTransformerBlock>::Pass blocks(transformer_.blocks());
  BlockSource<WanVACETransformerBlock>::Pass vace_blocks(vace_blocks_);
  size_t hints = 0;
  for (size_t i = 0; i < context.transformer.blocks.size(); ++i) {
    x = blocks.next().forward(x, context.transformer.blocks[i], time, rotary);
    if (hints == config_.vace_layers.size() || config_.vace_layers[hints] != static_cast<int64_t>(i))
      continue;
    // The control branch does not read x: its blocks can run here, while the reference runs all first.
    auto [hint, next_states] =
        vace_blocks.next().forward(embedded, control_hidden_states, context.vace.blocks[hints], time, rotary);
    x = at::add(x, hint, scale[hints]);
    control_hidden_states = std::move(next_states);
    ++hints;
  }
  return x;
}

}  // namespace t2v
