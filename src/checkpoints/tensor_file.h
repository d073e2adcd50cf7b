#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "checkpoints/number_format.h"
#include "core/file.h"
#include "t2v/error.h"

namespace t2v {

/// One tensor as the header of its file describes it.
struct StoredTensor {
  NumberFormat format;
  std::vector<int64_t> shape;  ///< the last dimension varies fastest
  uint64_t begin = 0;          ///< in bytes from the beginning of the file
  uint64_t end = 0;            ///< as begin; end - begin is always format times shape
};

using StoredTensors = std::map<std::string, StoredTensor, std::less<>>;

/// A memory-mapped file of named tensors: safetensors (https://github.com/huggingface/safetensors#format).
/// The whole header is checked when it is opened, strictly, so that every tensor of tensors() lies inside the
/// file; the tensors themselves are not touched.
class TensorFile {
 public:
  /// The format is told by the first bytes, never by the name. Error (kInput) for anything but a well-formed
  /// file; a Python pickle is recognised and never loaded.
  static std::shared_ptr<const TensorFile> open(const std::filesystem::path& file);

  const std::filesystem::path& path() const { return path_; }
  const StoredTensors& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// The bytes of one of tensors(), as they are in the file.
  std::span<const std::byte> bytes(const StoredTensor& stored) const {
    return {mapping_.data() + stored.begin, stored.end - stored.begin};
  }

 private:
  explicit TensorFile(const std::filesystem::path& file);

  std::filesystem::path path_;
  MappedFile mapping_;
  StoredTensors tensors_;
  std::map<std::string, std::string> metadata_;
};

/// The Error (kInput) for weights in a format that is not loaded because it runs code; says how to convert
/// them.
Error pickle_error(const std::filesystem::path& file);

}  // namespace t2v
