#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/file.h"
#include "files/formats/number_format.h"
#include "t2v/error.h"

namespace t2v {

/// One tensor as the header of its file describes it.
struct StoredTensor {
  NumberFormat format;
  std::vector<int64_t> shape;         ///< the last dimension varies fastest
  uint64_t begin = 0;                 ///< in bytes from the beginning of the file
  uint64_t end = 0;                   ///< as begin; behind the last number
  std::vector<int64_t> strides = {};  ///< in numbers; empty: the tensor is contiguous
};

using StoredTensors = std::map<std::string, StoredTensor, std::less<>>;

enum class FileFormat {
  kSafetensors,  ///< https://github.com/huggingface/safetensors#format
  kGguf,         ///< https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3
  kTorch         ///< the zip archive that torch.save has written since 1.6
};
/// "safetensors", "GGUF", "torch".
std::string_view file_format_name(FileFormat format);

/// A long list of GGUF's metadata, which is left where it is: vocabularies.
struct StoredList {
  uint32_t type = 0;   ///< of its values, as the format numbers types
  uint64_t count = 0;  ///< of values
  uint64_t begin = 0;  ///< of the first, in bytes from the beginning of the file
};

/// What a file says about its tensors before their bytes.
struct FileHeader {
  FileFormat format = FileFormat::kSafetensors;
  StoredTensors tensors = {};
  std::map<std::string, StoredList> lists = {};
  std::map<std::string, std::string> metadata = {};  ///< of GGUF: scalars as text, short lists as JSON
};

/// A memory-mapped file of named tensors. The whole header is checked when it is opened, strictly, so that
/// every tensor of tensors() lies inside the file; the tensors themselves are not touched.
class TensorFile {
 public:
  /// The format is told by the first bytes, never by the name. Error (kInput) for anything but a well-formed
  /// file, and for a Python pickle that asks for more than tensors: nothing of it is run.
  static std::shared_ptr<const TensorFile> open(const std::filesystem::path& file);

  const std::filesystem::path& path() const { return path_; }
  FileFormat format() const { return header_.format; }
  const StoredTensors& tensors() const { return header_.tensors; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  const std::map<std::string, StoredList>& lists() const { return header_.lists; }

  /// The bytes of one of tensors(), as they are in the file.
  std::span<const std::byte> bytes(const StoredTensor& stored) const {
    return {mapping_.data() + stored.begin, stored.end - stored.begin};
  }
  /// As MappedFile::prefetch().
  void prefetch() const { mapping_.prefetch(); }
  /// The whole file.
  std::string_view content() const {
    return {reinterpret_cast<const char*>(mapping_.data()), mapping_.size()};
  }

 private:
  explicit TensorFile(const std::filesystem::path& file);

  std::filesystem::path path_;
  MappedFile mapping_;
  FileHeader header_;
};

/// Whether a file of that name may hold tensors: what its content is, opening it tells.
bool is_named_like_tensors(const std::filesystem::path& file);

}  // namespace t2v
