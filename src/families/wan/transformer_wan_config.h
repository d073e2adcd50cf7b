#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/config.h"

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
  std::optional<int64_t> image_dim;          ///< the width of image embeddings; none: the model sees no image
  std::optional<int64_t> added_kv_proj_dim;  ///< images have keys and values of their own; equals dim()
  std::optional<int64_t> pos_embed_seq_len;  ///< the rows of a first and a last image together

  /// Error (kInput) for values that no such model has.
  static WanTransformer3DConfig from_config(const Config& config);
  int64_t dim() const { return num_attention_heads * attention_head_dim; }
  int64_t patch_volume() const { return patch_size[0] * patch_size[1] * patch_size[2]; }
};

/// config.json of diffusers' WanVACETransformer3DModel.
struct WanVACETransformer3DConfig {
  WanTransformer3DConfig transformer;
  std::vector<int64_t> vace_layers = {0,  5,  10, 15,
                                      20, 25, 30, 35};  ///< the blocks that get a hint after them
  int64_t vace_in_channels = 96;

  /// Error (kInput) for values that no such model has.
  static WanVACETransformer3DConfig from_config(const Config& config);
};

}  // namespace t2v
