#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "files/checkpoints/component.h"
#include "tensors/tensor.h"

namespace t2v {

/// Prompt embeddings in a folder: one safetensors file for each prompt, text encoder and placement. A file
/// that is damaged or has another key counts as absent; a file that cannot be written gives a warning.
class PromptEmbedsCache {
 public:
  /// Creates `folder` and its parents. Error (kOutput). Paths, sizes and times of change of its files
  /// identify the text encoder.
  PromptEmbedsCache(std::filesystem::path folder, const Component& text_encoder, Placement placement);

  /// The embeddings [1, length, d_model] of these token ids; nothing if they were never stored.
  std::optional<Tensor> find(const std::vector<int64_t>& ids) const;
  void store(const std::vector<int64_t>& ids, const Tensor& rows) const;

 private:
  std::string key(const std::vector<int64_t>& ids) const;
  std::filesystem::path file(const std::string& key) const;

  std::filesystem::path folder_;
  std::string encoder_;  ///< the part of every key that names the encoder and the placement
};

}  // namespace t2v
