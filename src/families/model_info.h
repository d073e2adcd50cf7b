#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"

namespace t2v {

/// Tensors by name; the last dimension of a shape varies fastest.
using TensorShapes = std::map<std::string, std::vector<int64_t>, std::less<>>;

/// A config.json without keys.
Config no_config();

/// A part of a model (transformer, vae, tokenizer, ...) as the headers of its files describe it.
struct PartInfo {
  std::string origin;                                ///< how errors call it
  std::filesystem::path file = {};                   ///< the first of its files
  Config config = no_config();                       ///< its config.json
  TensorShapes tensors = {};                         ///< under the names of diffusers
  std::map<std::string, std::string> metadata = {};  ///< of its files

  bool has(std::string_view tensor) const { return tensors.contains(tensor); }
  /// Whether there is a tensor whose name begins so.
  bool has_prefix(std::string_view prefix) const;
  /// Size of one dimension of a tensor. Error (kInput) that names the tensor if it is absent, or if this
  /// dimension is absent or 0.
  int64_t size(const std::string& tensor, size_t dimension) const;
  /// Number of blocks: of the prefixes prefix0., prefix1., ... before the first that no name begins with.
  int64_t count_blocks(const std::string& prefix) const;
};

/// A model, or those of its parts that are there.
struct ModelInfo {
  std::map<std::string, PartInfo, std::less<>> parts;  ///< under the names that model_index.json gives them
  Config index = no_config();                          ///< as Checkpoint::index

  bool has(std::string_view part) const { return parts.contains(part); }
  const PartInfo& get(std::string_view part) const { return parts.find(part)->second; }  ///< has(part) holds
  /// config.json of a part; {} of a part that is absent.
  Config config(std::string_view part) const { return has(part) ? get(part).config : no_config(); }
};

}  // namespace t2v
