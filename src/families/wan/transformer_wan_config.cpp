#include "families/wan/transformer_wan_config.h"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "families/layer_limit.h"

namespace t2v {
namespace {

/// Far above any model: 1e6 heads would be a plan of 370 GiB instead of a bad config.
constexpr int64_t kMostHeads = 1024;

std::array<int64_t, 3> read_patch_size(const Config& config) {
  const std::vector<int64_t> values = config.integers("patch_size", {1, 2, 2});
  if (values.size() != 3) config.fail("patch_size", "three numbers");
  for (const int64_t value : values) {
    if (value < 1 || value > 64) config.fail("patch_size", "numbers from 1 to 64");
  }
  return {values[0], values[1], values[2]};
}

std::optional<int64_t> read_optional(const Config& config, const std::string& key) {
  if (!config.has(key)) return std::nullopt;
  return config.integer(key, 0);
}

void read_image_branch(const Config& config, WanTransformer3DConfig& c) {
  c.image_dim = read_optional(config, "image_dim");
  c.added_kv_proj_dim = read_optional(config, "added_kv_proj_dim");
  c.pos_embed_seq_len = read_optional(config, "pos_embed_seq_len");
  if (!c.added_kv_proj_dim) return;
  if (!c.image_dim) config.fail("added_kv_proj_dim", "null where image_dim is");
  if (*c.added_kv_proj_dim != c.dim()) {
    config.fail("added_kv_proj_dim", std::to_string(c.dim()) + ", the heads times attention_head_dim");
  }
}

}  // namespace

WanTransformer3DConfig WanTransformer3DConfig::from_config(const Config& config) {
  const std::string norm = "rms_norm_across_heads";
  if (config.text("qk_norm", norm) != norm) config.fail("qk_norm", norm);

  WanTransformer3DConfig c;
  c.patch_size = read_patch_size(config);
  c.num_attention_heads = config.integer("num_attention_heads", c.num_attention_heads, 1, kMostHeads);
  c.attention_head_dim = config.integer("attention_head_dim", c.attention_head_dim);
  if (c.attention_head_dim % 2 != 0) config.fail("attention_head_dim", "an even number");
  c.in_channels = config.integer("in_channels", c.in_channels);
  const bool same_channels = config.json().contains("out_channels") && !config.has("out_channels");
  c.out_channels = config.integer("out_channels", same_channels ? c.in_channels : c.out_channels);
  c.text_dim = config.integer("text_dim", c.text_dim);
  c.freq_dim = config.integer("freq_dim", c.freq_dim);
  if (c.freq_dim % 2 != 0) config.fail("freq_dim", "an even number");
  c.ffn_dim = config.integer("ffn_dim", c.ffn_dim);
  c.num_layers = config.integer("num_layers", c.num_layers, 1, kMostLayers);
  c.cross_attn_norm = config.boolean("cross_attn_norm", c.cross_attn_norm);
  c.eps = config.number("eps", c.eps);
  c.rope_max_seq_len = config.integer("rope_max_seq_len", c.rope_max_seq_len);
  read_image_branch(config, c);
  return c;
}

WanVACETransformer3DConfig WanVACETransformer3DConfig::from_config(const Config& config) {
  WanVACETransformer3DConfig c;
  c.transformer = WanTransformer3DConfig::from_config(config);
  c.vace_in_channels = config.integer("vace_in_channels", c.vace_in_channels);
  c.vace_layers = config.integers("vace_layers", c.vace_layers);
  const std::vector<int64_t>& layers = c.vace_layers;
  const bool ascend =
      std::adjacent_find(layers.begin(), layers.end(), std::greater_equal<>()) == layers.end();
  if (layers.empty() || layers.front() != 0 || layers.back() >= c.transformer.num_layers || !ascend) {
    config.fail("vace_layers",
                "0 and larger layers, in order, below " + std::to_string(c.transformer.num_layers));
  }
  return c;
}

}  // namespace t2v
