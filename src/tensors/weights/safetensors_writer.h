#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/staged_file.h"
#include "tensors/tensor.h"

namespace t2v {

/// A tensor that a safetensors file is to hold.
struct PlannedTensor {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;

  uint64_t bytes() const;
};

/// Writes a safetensors file whose tensors need not be in memory together: the header first, then their bytes
/// in the order of tensors(). The file gets its name when it is whole, and is on the disk then; until that,
/// what had the name is untouched.
class SafetensorsWriter {
 public:
  /// Error (kOutput).
  SafetensorsWriter(const std::filesystem::path& file, std::vector<PlannedTensor> tensors,
                    const std::map<std::string, std::string>& metadata);

  /// In the order of their bytes: the widest numbers first, so that all are aligned.
  const std::vector<PlannedTensor>& tensors() const { return tensors_; }

  /// The next bytes of the tensor whose turn it is, row by row. Error (kOutput).
  void append(std::span<const std::byte> bytes);
  /// Error (kOutput); (kUsage) if the name is taken and `overwrite` is false.
  void publish(bool overwrite);

 private:
  std::vector<PlannedTensor> tensors_;
  uint64_t missing_ = 0;  ///< bytes to be appended
  StagedFile staged_;
};

/// Writes named tensors (any device and strides) and `metadata` to `file`, as a SafetensorsWriter. Error
/// (kOutput); (kUsage) if the name is taken and `overwrite` is false.
void write_safetensors(const std::filesystem::path& file,
                       const std::vector<std::pair<std::string, Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata, bool overwrite = true);

}  // namespace t2v
