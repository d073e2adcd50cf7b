#pragma once

#include <vector>

#include "families/umt5_config.h"
#include "networks/layers/linear.h"
#include "networks/layers/norm.h"
#include "tensors/tensor.h"
#include "tensors/weights/block_source.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// Self-attention without scaling, with a learned bias for the distance between two tokens. Every layer has a
/// bias of its own.
class UMT5Attention {
 public:
  UMT5Attention(const Weights& weights, const UMT5Config& config);
  /// hidden_states: [batch, length, d_model]; buckets: [length, length] int64, rows of the bias table -> like
  /// hidden_states
  Tensor operator()(const Tensor& hidden_states, const Tensor& buckets) const;

 private:
  int64_t num_heads_;
  Linear q_, k_, v_, o_;
  Tensor relative_attention_bias_;  ///< [num_buckets, num_heads]
};

class UMT5Block {
 public:
  UMT5Block(const Weights& weights, const UMT5Config& config);
  /// As UMT5Attention.
  Tensor forward(const Tensor& hidden_states, const Tensor& buckets) const;

 private:
  RMSNorm attention_norm_;
  UMT5Attention attention_;
  RMSNorm feed_forward_norm_;
  Linear wi_0_, wi_1_, wo_;
};

/// The encoder of UMT5 (transformers' UMT5EncoderModel). The embedding stays in the checkpoint's files,
/// because a prompt needs few of its rows.
class UMT5Encoder {
 public:
  UMT5Encoder(const Weights& weights, const UMT5Config& config, BlockResidency residency = {});

  /// input_ids: for each prompt [length] int64 on the CPU, no padding -> for each its last_hidden_state
  /// [1, length, d_model], equal to the reference's rows in a padded and masked batch. All prompts go through
  /// a block before the next block is used. Error (kInput) for an id outside of the vocabulary.
  std::vector<Tensor> forward(const std::vector<Tensor>& input_ids) const;

 private:
  UMT5Config config_;
  Weights shared_;  ///< "weight" is the embedding: [vocab_size, d_model]
  BlockSource<UMT5Block> blocks_;
  RMSNorm final_layer_norm_;
};

/// The row of a bias table for each pair of tokens: [length (query), length (key)] int64, length >= 1. Each
/// short distance has its own row. Longer distances share rows by the logarithm of the distance (Raffel et
/// al. 2020, arXiv:1910.10683).
Tensor relative_position_buckets(int64_t length, int64_t num_buckets, int64_t max_distance,
                                 at::Device device);

}  // namespace t2v
