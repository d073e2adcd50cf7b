#pragma once

#include <cstdint>

#include "core/config.h"

namespace t2v {

/// config.json of the text encoder; a missing key has the value of transformers' UMT5Config.
struct UMT5Config {
  int64_t vocab_size = 250112;
  int64_t d_model = 512;
  int64_t d_kv = 64;
  int64_t d_ff = 1024;
  int64_t num_layers = 8;
  int64_t num_heads = 6;
  int64_t relative_attention_num_buckets = 32;
  int64_t relative_attention_max_distance = 128;
  double layer_norm_epsilon = 1e-6;

  /// Error (kInput) for values that this encoder cannot have, among them a feed-forward other than
  /// gated-gelu.
  static UMT5Config from_config(const Config& config);
  int64_t inner_dim() const { return num_heads * d_kv; }
};

}  // namespace t2v
