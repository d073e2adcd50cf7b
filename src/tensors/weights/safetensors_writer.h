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

/// A tensor of a safetensors file.
struct PlannedTensor {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;

  uint64_t bytes() const;
};

/// Writes a safetensors file tensor by tensor: first the header, then the bytes in the order of tensors().
/// The file gets its name when it is complete and on the disk. Before, an old file of that name stays as it
/// was.
class SafetensorsWriter {
 public:
  /// Error (kOutput).
  SafetensorsWriter(const std::filesystem::path& file, std::vector<PlannedTensor> tensors,
                    const std::map<std::string, std::string>& metadata);

  /// The tensors in the order of their bytes: the widest numbers first, so that all are aligned.
  const std::vector<PlannedTensor>& tensors() const { return tensors_; }

  /// Appends the next bytes of the present tensor, row by row. Error (kOutput).
  void append(std::span<const std::byte> bytes);
  /// Error (kOutput); (kUsage) if the name is taken and `overwrite` is false.
  void publish(bool overwrite);

 private:
  std::vector<PlannedTensor> tensors_;
  uint64_t missing_ = 0;  ///< bytes that are not appended yet
  StagedFile staged_;
};

/// Writes named tensors (any device and strides) and `metadata` to `file`, as a SafetensorsWriter. Error
/// (kOutput); (kUsage) if the name is taken and `overwrite` is false.
void write_safetensors(const std::filesystem::path& file,
                       const std::vector<std::pair<std::string, Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata, bool overwrite = true);

}  // namespace t2v
