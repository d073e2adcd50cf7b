#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "families/model_info.h"
#include "files/formats/tensor_file.h"

namespace t2v {

/// Place of one tensor's values.
struct TensorSource {
  std::shared_ptr<const TensorFile> file;
  StoredTensor stored;
  std::shared_ptr<const TensorSource> scale = {};  ///< of scaled fp8: one factor, or one for each row
};

/// A part of a checkpoint with tensors (transformer, vae, ...): its configuration, and its tensors under the
/// names that diffusers and transformers give them. Headers only: no value has been read.
struct Component {
  std::string origin;  ///< how errors call it
  Config config;       ///< config.json; {} for tensors that come without
  std::vector<std::shared_ptr<const TensorFile>> files;
  std::map<std::string, TensorSource, std::less<>> tensors;

  bool has(std::string_view name) const { return tensors.contains(name); }
  /// Error (kInput) that names the tensor if it is not there.
  const TensorSource& get(std::string_view name) const;
  /// Its headers, as a family sees them.
  PartInfo info() const;
};

/// The tensors of one file, under the names they have there, without a configuration. Error (kInput).
Component open_tensors(const std::filesystem::path& file);

/// The tensors of several files, whose names have to differ; `origin` is what errors call them.
Component open_tensors(const std::vector<std::filesystem::path>& files, const std::string& origin);

/// The tensors of a component's folder: `<base>.safetensors.index.json`, `<base>.safetensors`, or their
/// .fp16/.bf16 variants, or the same with .bin; in that order, without a configuration. `base` is
/// "diffusion_pytorch_model" (diffusers classes) or "model" (transformers classes, whose .bin files begin
/// with "pytorch_model"). Error (kInput) for anything missing or malformed.
Component open_tensors(const std::filesystem::path& folder, const std::string& base);

/// The file that open_tensors(folder, base) opens: weights, or an index; nothing if there is none.
std::optional<std::filesystem::path> find_weights(const std::filesystem::path& folder,
                                                  const std::string& base);

/// Reads the index of a checkpoint in several files (`*.safetensors.index.json`): tensor name -> file name, a
/// plain name in the folder of the index. Error (kInput) for anything else.
std::map<std::string, std::string> read_shard_index(const std::filesystem::path& file);

}  // namespace t2v
