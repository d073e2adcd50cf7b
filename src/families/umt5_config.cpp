#include "families/umt5_config.h"

#include "families/layer_limit.h"

namespace t2v {

UMT5Config UMT5Config::from_config(const Config& config) {
  UMT5Config c;
  c.vocab_size = config.integer("vocab_size", c.vocab_size);
  c.d_model = config.integer("d_model", c.d_model);
  c.d_kv = config.integer("d_kv", c.d_kv);
  c.d_ff = config.integer("d_ff", c.d_ff);
  c.num_layers = config.integer("num_layers", c.num_layers, 1, kMostLayers);
  c.num_heads = config.integer("num_heads", c.num_heads);
  // Half of the buckets is for each direction, and half of those for single distances.
  c.relative_attention_num_buckets =
      config.integer("relative_attention_num_buckets", c.relative_attention_num_buckets, 4);
  c.relative_attention_max_distance =
      config.integer("relative_attention_max_distance", c.relative_attention_max_distance,
                     c.relative_attention_num_buckets / 4 + 1);
  c.layer_norm_epsilon = config.number("layer_norm_epsilon", c.layer_norm_epsilon);
  if (config.text("feed_forward_proj", "gated-gelu") != "gated-gelu") {
    config.fail("feed_forward_proj", "gated-gelu, the only feed-forward that is supported");
  }
  return c;
}

}  // namespace t2v
