#pragma once

#include <array>
#include <optional>

#include "families/wan/transformer_wan_config.h"
#include "networks/layers/linear.h"
#include "networks/layers/norm.h"
#include "tensors/tensor.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// Rotations of the query and key pairs of every token: complex64 [1, tokens, 1, head_dim / 2] (Su et al.
/// 2021, arXiv:2104.09864, over three axes).
struct RotaryEmb {
  Tensor rotations;
};

/// The rotations for a grid of frames x height x width tokens. Error (kUsage) for a side above
/// rope_max_seq_len.
RotaryEmb rotary_emb(const WanTransformer3DConfig& config, std::array<int64_t, 3> grid, at::Device device);

/// One token for every patch of latents: a convolution whose stride is its kernel.
class WanPatchEmbedding {
 public:
  WanPatchEmbedding(const Weights& weights, int64_t channels, const WanTransformer3DConfig& config);

  /// latents: [batch, channels, frames, height, width], any device and dtype -> [batch, tokens, dim]. Error
  /// (kUsage) for sizes that are not multiples of the patch size, (kInput) for other channels.
  Tensor operator()(const Tensor& latents) const;

 private:
  int64_t channels_;
  std::array<int64_t, 3> patch_size_;
  Linear projection_;
};

/// Time embeddings for the blocks and the output. They have a row for each item of the batch; or a row for
/// each distinct timestep, and token_rows holds the row of every token.
struct TimeEmbedding {
  Tensor temb;                       ///< [rows, dim]
  Tensor timestep_proj;              ///< [rows, 6, dim]
  std::optional<Tensor> token_rows;  ///< [batch, tokens] int64

  /// The dtype of the blocks' weights.
  at::ScalarType dtype() const { return timestep_proj.scalar_type(); }
};

/// Prompt and image at the transformer's width.
struct EncoderHiddenStates {
  Tensor text;                     ///< [batch, rows, dim]
  std::optional<Tensor> row_bias;  ///< of the text's rows: [1, rows]
  std::optional<Tensor> image;     ///< [batch, image rows, dim]
};

/// Projects image embeddings to the transformer's width. With `pos_embed` it joins the rows of two images.
class WanImageEmbedding {
 public:
  WanImageEmbedding(const Weights& weights, const WanTransformer3DConfig& config);

  /// image_embeds: [images, rows, image_dim] -> [batch, image rows, dim]. Error (kUsage) for one image where
  /// two are needed, (kInput) for other widths.
  Tensor operator()(const Tensor& image_embeds) const;

 private:
  std::optional<Tensor> pos_embed_;  ///< [1, rows of two images, image_dim]
  int64_t image_dim_;
  LayerNorm norm1_;
  Linear ff_in_, ff_out_;
  LayerNorm norm2_;
};

/// Embeds timestep, prompt and image (diffusers' class of that name).
class WanTimeTextImageEmbedding {
 public:
  WanTimeTextImageEmbedding(const Weights& weights, const WanTransformer3DConfig& config);

  TimeEmbedding embed_time(const Tensor& timestep) const;  ///< timestep: [batch], or [batch, tokens]
  Tensor embed_text(const Tensor& prompt_embeds) const;    ///< [batch, rows, text_dim] -> [batch, rows, dim]
  /// As WanImageEmbedding. Error (kUsage) for a missing image, or for an image that the model does not see.
  std::optional<Tensor> embed_image(const std::optional<Tensor>& image_embeds) const;

 private:
  Tensor frequencies_;  ///< [freq_dim / 2] float32
  Linear time_linear_1_, time_linear_2_, time_proj_, text_linear_1_, text_linear_2_;
  std::optional<WanImageEmbedding> image_embedder_;
};

}  // namespace t2v
