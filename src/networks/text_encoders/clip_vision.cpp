#include "networks/text_encoders/clip_vision.h"

#include "tensors/kernels/attention.h"
#include "tensors/kernels/conv2d.h"

namespace t2v {
namespace {

Weights without_prefix(const Weights& weights) {
  return weights.has("vision_model.embeddings.class_embedding") ? weights["vision_model"] : weights;
}

}  // namespace

CLIPEncoderLayer::CLIPEncoderLayer(const Weights& weights, const CLIPVisionConfig& config)
    : num_heads_(config.num_attention_heads),
      quick_gelu_(config.quick_gelu),
      layer_norm1_(weights["layer_norm1"], config.hidden_size, config.layer_norm_eps),
      q_proj_(weights["self_attn.q_proj"], config.hidden_size, config.hidden_size),
      k_proj_(weights["self_attn.k_proj"], config.hidden_size, config.hidden_size),
      v_proj_(weights["self_attn.v_proj"], config.hidden_size, config.hidden_size),
      out_proj_(weights["self_attn.out_proj"], config.hidden_size, config.hidden_size),
      layer_norm2_(weights["layer_norm2"], config.hidden_size, config.layer_norm_eps),
      fc1_(weights["mlp.fc1"], config.hidden_size, config.intermediate_size),
      fc2_(weights["mlp.fc2"], config.intermediate_size, config.hidden_size) {}

Tensor CLIPEncoderLayer::attend(const Tensor& x) const {
  const auto heads = [this](const Tensor& rows) { return rows.unflatten(-1, {num_heads_, -1}); };
  return out_proj_(attention(heads(q_proj_(x)), heads(k_proj_(x)), heads(v_proj_(x))).flatten(-2));
}

Tensor CLIPEncoderLayer::forward(const Tensor& hidden_states) const {
  const at::ScalarType dtype = hidden_states.scalar_type();
  const Tensor x = hidden_states + attend(layer_norm1_(hidden_states).to(dtype));
  const Tensor normed = layer_norm2_(x).to(dtype);
  if (!quick_gelu_) return x + fc2_(fc1_.gelu(normed));
  const Tensor inner = fc1_(normed);
  return x + fc2_(inner * at::sigmoid(1.702 * inner));
}

CLIPVisionModel::CLIPVisionModel(const Weights& weights, const CLIPVisionConfig& config)
    : config_(config),
      class_embedding_(without_prefix(weights).tensor("embeddings.class_embedding", {config.hidden_size})),
      patch_embedding_(without_prefix(weights).tensor(
          "embeddings.patch_embedding.weight",
          {config.hidden_size, config.num_channels, config.patch_size, config.patch_size})),
      position_embedding_(without_prefix(weights).tensor("embeddings.position_embedding.weight",
                                                         {config.num_positions(), config.hidden_size})),
      pre_layrnorm_(without_prefix(weights)["pre_layrnorm"], config.hidden_size, config.layer_norm_eps) {
  const Weights stored = without_prefix(weights);
  const Weights layers = stored["encoder.layers"];
  const int64_t last = config.num_hidden_layers - 1;
  for (int64_t i = 0; i < last; ++i) layers_.emplace_back(layers[std::to_string(i)], config);
  CLIPEncoderLayer(layers[std::to_string(last)].not_needed(), config);
  LayerNorm(stored["post_layernorm"].not_needed(), config.hidden_size, config.layer_norm_eps);
  stored.ignore("embeddings.position_ids");  // 0, 1, 2, ...
  // transformers' CLIPVisionModelWithProjection and CLIPModel have these tensors.
  weights.ignore("visual_projection.");
  weights.ignore("text_");
}

Tensor CLIPVisionModel::forward(const Tensor& pixel_values) const {
  const int64_t side = config_.image_size;
  const auto size = pixel_values.sizes();
  if (size[1] != config_.num_channels || size[2] != side || size[3] != side) {
    throw Error(ErrorCode::kInput, {.doing = "reading the image",
                                    .got = std::to_string(size[1]) + " channels of " +
                                           std::to_string(size[2]) + "x" + std::to_string(size[3]),
                                    .expected = std::to_string(config_.num_channels) + " of " +
                                                std::to_string(side) + "x" + std::to_string(side)});
  }
  const Tensor pixels = pixel_values.to(patch_embedding_.device(), patch_embedding_.scalar_type());
  const Tensor patches =
      conv2d(pixels, patch_embedding_, std::nullopt, /*stride=*/config_.patch_size, /*padding=*/0)
          .flatten(2)
          .transpose(1, 2);
  const Tensor embedded =
      at::cat({class_embedding_.expand({size[0], 1, -1}), patches}, /*dim=*/1) + position_embedding_;
  Tensor hidden_states = pre_layrnorm_(embedded).to(embedded.scalar_type());
  for (const CLIPEncoderLayer& layer : layers_) hidden_states = layer.forward(hidden_states);
  return hidden_states;
}

}  // namespace t2v
