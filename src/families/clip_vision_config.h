#pragma once

#include <cstdint>

#include "core/config.h"

namespace t2v {

/// config.json of the image encoder; a missing key has the value of transformers' CLIPVisionConfig.
struct CLIPVisionConfig {
  int64_t hidden_size = 768;
  int64_t intermediate_size = 3072;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;
  int64_t num_channels = 3;
  int64_t image_size = 224;
  int64_t patch_size = 32;
  bool quick_gelu = true;  ///< hidden_act: "quick_gelu", x * sigmoid(1.702 x), or "gelu"
  double layer_norm_eps = 1e-5;

  /// Error (kInput) for values that this encoder cannot have.
  static CLIPVisionConfig from_config(const Config& config);
  int64_t num_positions() const { return (image_size / patch_size) * (image_size / patch_size) + 1; }
};

}  // namespace t2v
