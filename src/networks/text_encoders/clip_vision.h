#pragma once

#include <string>
#include <vector>

#include "families/clip_vision_config.h"
#include "networks/layers/linear.h"
#include "networks/layers/norm.h"
#include "tensors/tensor.h"
#include "tensors/weights/weights.h"

namespace t2v {

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

/// CLIP's image encoder without its last layer (transformers: hidden_states[-2] of CLIPVisionModel). Tensors
/// of the last layer and of the layers behind it are not loaded.
class CLIPVisionModel {
 public:
  /// Accepts tensor names with and without the prefix `vision_model.`.
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
