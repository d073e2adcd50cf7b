#include "networks/text_encoders/umt5_encoder.h"

#include <cmath>
#include <string>

#include "tensors/kernels/attention.h"

namespace t2v {
namespace {

/// The embedding, which files store under one of two names or under both.
Weights find_embedding(const Weights& weights, const UMT5Config& config) {
  const bool has_copy = weights["encoder.embed_tokens"].has("weight");
  const bool copy_alone = has_copy && !weights["shared"].has("weight");
  const Weights stored = copy_alone ? weights["encoder.embed_tokens"] : weights["shared"];
  weights["encoder.embed_tokens"].ignore();
  stored.without_values().tensor("weight", {config.vocab_size, config.d_model});
  return stored;
}

void check_ids(const Tensor& input_ids, int64_t vocab_size) {
  if (input_ids.numel() == 0) return;
  const auto [smallest, largest] = at::aminmax(input_ids);
  const int64_t wrong = smallest.item<int64_t>() < 0 ? smallest.item<int64_t>() : largest.item<int64_t>();
  if (wrong >= 0 && wrong < vocab_size) return;
  throw Error(ErrorCode::kInput, {.doing = "encoding the prompt",
                                  .got = "token id " + std::to_string(wrong),
                                  .expected = "ids from 0 to " + std::to_string(vocab_size - 1),
                                  .advice = "the tokenizer does not belong to this text encoder"});
}

}  // namespace

UMT5Attention::UMT5Attention(const Weights& weights, const UMT5Config& config)
    : num_heads_(config.num_heads),
      q_(weights["q"], config.d_model, config.inner_dim(), Linear::Bias::kNo),
      k_(weights["k"], config.d_model, config.inner_dim(), Linear::Bias::kNo),
      v_(weights["v"], config.d_model, config.inner_dim(), Linear::Bias::kNo),
      o_(weights["o"], config.inner_dim(), config.d_model, Linear::Bias::kNo),
      relative_attention_bias_(weights["relative_attention_bias"].tensor(
          "weight", {config.relative_attention_num_buckets, config.num_heads})) {}

Tensor UMT5Attention::operator()(const Tensor& hidden_states, const Tensor& buckets) const {
  const auto heads = [this](const Tensor& x) { return x.unflatten(-1, {num_heads_, -1}); };
  const Tensor q = heads(q_(hidden_states));  // [batch, length, heads, d_kv]
  const Tensor k = heads(k_(hidden_states));
  const Tensor v = heads(v_(hidden_states));

  // [length, length, heads] -> [1, heads, length, length]
  const Tensor bias = at::embedding(relative_attention_bias_, buckets).permute({2, 0, 1}).unsqueeze(0);
  return o_(attention(q, k, v, bias, /*scale=*/1.0).flatten(-2));
}

UMT5Block::UMT5Block(const Weights& weights, const UMT5Config& config)
    : attention_norm_(weights["layer.0.layer_norm"], config.d_model, config.layer_norm_epsilon),
      attention_(weights["layer.0.SelfAttention"], config),
      feed_forward_norm_(weights["layer.1.layer_norm"], config.d_model, config.layer_norm_epsilon),
      wi_0_(weights["layer.1.DenseReluDense.wi_0"], config.d_model, config.d_ff, Linear::Bias::kNo),
      wi_1_(weights["layer.1.DenseReluDense.wi_1"], config.d_model, config.d_ff, Linear::Bias::kNo),
      wo_(weights["layer.1.DenseReluDense.wo"], config.d_ff, config.d_model, Linear::Bias::kNo) {}

Tensor UMT5Block::forward(const Tensor& hidden_states, const Tensor& buckets) const {
  Tensor x = hidden_states + attention_(attention_norm_(hidden_states), buckets);
  const Tensor normed = feed_forward_norm_(x);
  return x + wo_(wi_0_.gelu_tanh(normed) * wi_1_(normed));
}

UMT5Encoder::UMT5Encoder(const Weights& weights, const UMT5Config& config, BlockResidency residency)
    : config_(config),
      shared_(find_embedding(weights, config)),
      blocks_(
          weights["encoder.block"], config.num_layers,
          [config](const Weights& block, int64_t) { return UMT5Block(block, config); }, residency),
      final_layer_norm_(weights["encoder.final_layer_norm"], config.d_model, config.layer_norm_epsilon) {}

std::vector<Tensor> UMT5Encoder::forward(const std::vector<Tensor>& input_ids) const {
  std::vector<Tensor> hidden_states, buckets;
  for (const Tensor& ids : input_ids) {
    check_ids(ids, config_.vocab_size);
    hidden_states.push_back(shared_.rows("weight", {config_.vocab_size, config_.d_model}, ids).unsqueeze(0));
    buckets.push_back(relative_position_buckets(ids.size(0), config_.relative_attention_num_buckets,
                                                config_.relative_attention_max_distance,
                                                hidden_states.back().device()));
  }
  BlockSource<UMT5Block>::Pass pass(blocks_);
  for (int64_t i = 0; i < blocks_.size(); ++i) {
    const UMT5Block& block = pass.next();
    for (size_t n = 0; n < input_ids.size(); ++n)
      hidden_states[n] = block.forward(hidden_states[n], buckets[n]);
  }
  for (Tensor& states : hidden_states) states = final_layer_norm_(states);
  return hidden_states;
}

Tensor relative_position_buckets(int64_t length, int64_t num_buckets, int64_t max_distance,
                                 at::Device device) {
  const int64_t per_direction = num_buckets / 2;
  const int64_t max_exact = per_direction / 2;
  const Tensor relative = at::arange(1 - length, length, at::kLong);  // key - query
  const Tensor distance = relative.abs();

  const Tensor log_ratio = (distance.clamp_min(max_exact).to(at::kFloat) / max_exact).log() /
                           std::log(static_cast<double>(max_distance) / static_cast<double>(max_exact));
  const Tensor far =
      (max_exact + (log_ratio * (per_direction - max_exact)).to(at::kLong)).clamp_max(per_direction - 1);
  const Tensor buckets =
      at::where(distance < max_exact, distance, far) + (relative > 0).to(at::kLong) * per_direction;
  const Tensor position = at::arange(length, at::device(device).dtype(at::kLong));
  return buckets.to(device).index({position.unsqueeze(0) - position.unsqueeze(1) + (length - 1)});
}

}  // namespace t2v
