#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/file.h"
#include "core/tensor.h"

namespace t2v {

/// One tensor as the header of a safetensors file describes it.
struct StoredTensor {
  at::ScalarType dtype;
  std::vector<int64_t> shape;
  uint64_t begin = 0;  ///< in bytes from the end of the header
  uint64_t end = 0;    ///< as begin; end - begin is always dtype times shape
};

/// A memory-mapped safetensors file (https://github.com/huggingface/safetensors#format), read strictly: the
/// whole header is checked when it is opened, so that every tensor of tensors() lies inside the file.
class SafetensorsFile {
 public:
  /// Error (kInput) for anything but a well-formed file; a Python pickle is recognised and never loaded.
  explicit SafetensorsFile(const std::filesystem::path& file);

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, StoredTensor, std::less<>>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// The values of one of tensors(), on the CPU in the dtype they are stored in. They are the mapped file
  /// itself, and must not be written to, unless the file has them at an address that is not a multiple of the
  /// element size. Error (kInput) for a BOOL that is neither 0 nor 1.
  Tensor read(const StoredTensor& stored) const;

 private:
  std::filesystem::path path_;
  std::shared_ptr<const MappedFile> mapping_;
  const std::byte* data_ = nullptr;  ///< the first byte behind the header
  std::map<std::string, StoredTensor, std::less<>> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// The Error (kInput) for weights in a format that is not loaded because it runs code; says how to convert
/// them.
Error pickle_error(const std::filesystem::path& file);

/// Writes named tensors (any device and strides) and `metadata` to `file`, which is whole and on the disk
/// afterwards, or as it was before: the bytes go to a temporary file beside it, which then takes its name.
/// Error (kOutput); (kUsage) if the name is taken and `overwrite` is false.
void write_safetensors(const std::filesystem::path& file,
                       const std::vector<std::pair<std::string, Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata, bool overwrite = true);

}  // namespace t2v
