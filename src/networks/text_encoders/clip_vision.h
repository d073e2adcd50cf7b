#pragma once

#include <string>
#include <vector>

#include "core/config.h"
#include "networks/layers/linear.h"
#include "networks/layers/norm.h"
#include "tensors/tensor.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// The image encoder's config.json; a missing key has the value of transformers' CLIPVisionConfig.
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

/// A pre-norm transformer layer with biases everywhere.
class CLIPEncoderLayer {
 public:
  CLIPEncoderLayer(const Weights& weights, const CLIPVisionConfig& config);
  /// hidden_states: [images, rows, hidden_size] -> the same shape
  Tensor forward(const Tensor& hidden_states) const;

 private:
  Tensor attend(const Tensor& x) const;

  int64_t num_heads_;
  bool quick_gelu_;
  LayerNorm layer_norm1_;
  Linear q_proj_, k_proj_, v_proj_, out_proj_;
  LayerNorm layer_norm2_;
  Linear fc1_, fc2_;
};

/// CLIP's image encoder up to what Wan's image branch sees, the states before the last layer (transformers'
/// CLIPVisionModel, hidden_states[-2]); what comes after them in the checkpoint is left out.
class CLIPVisionModel {
 public:
  /// Takes the names with and without `vision_model.` before them.
  CLIPVisionModel(const Weights& weights, const CLIPVisionConfig& config);

  /// pixel_values: [images, num_channels, image_size, image_size], normalised -> [images, num_positions,
  /// hidden_size], the class token first. Error (kInput) for another size.
  Tensor forward(const Tensor& pixel_values) const;

 private:
  CLIPVisionConfig config_;
  Tensor class_embedding_;     ///< [hidden_size]
  Tensor patch_embedding_;     ///< [hidden_size, num_channels, patch_size, patch_size]
  Tensor position_embedding_;  ///< [num_positions, hidden_size]
  LayerNorm pre_layrnorm_;     ///< the checkpoint's own spelling
  std::vector<CLIPEncoderLayer> layers_;
};

}  // namespace t2v
