#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "files/checkpoints/component.h"
#include "tensors/tensor.h"

namespace t2v {

/// What a text encoder made of prompts, kept in a folder: one safetensors file for each prompt, encoder and
/// placement. A file that is damaged, or about something else, counts as absent; one that cannot be written
/// is passed over with a warning.
class PromptEmbedsCache {
 public:
  /// Creates `folder`, its parents included. Error (kOutput). The encoder is known by its files' paths, sizes
  /// and times of change.
  PromptEmbedsCache(std::filesystem::path folder, const Component& text_encoder, Placement placement);

  /// The encoder's rows [1, length, d_model] for these token ids; nothing if they were never stored.
  std::optional<Tensor> find(const std::vector<int64_t>& ids) const;
  void store(const std::vector<int64_t>& ids, const Tensor& rows) const;

 private:
  std::string key(const std::vector<int64_t>& ids) const;
  std::filesystem::path file(const std::string& key) const;

  std::filesystem::path folder_;
  std::string encoder_;  ///< the part of every key that names the encoder and the placement
};

}  // namespace t2v
