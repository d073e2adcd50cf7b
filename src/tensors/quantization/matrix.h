#pragma once

#include <optional>
#include <string>

#include "files/formats/tensor_file.h"
#include "tensors/tensor.h"

namespace t2v {

/// A matrix between its uses: in the dtype of its products, or as float8_e4m3fn.
struct Matrix {
  Tensor values;  ///< [rows, columns]
  std::optional<Tensor>
      scale;             ///< factor of float8_e4m3fn values in float32: [1, 1], or [rows, 1] for each row
  at::ScalarType dtype;  ///< dtype of its products

  /// The matrix in `dtype`.
  Tensor numbers() const;
  Matrix to(at::Device device) const;
  Matrix pinned() const;
};

/// Rounds a matrix to float8_e4m3fn, each row scaled by its largest number. numbers: [rows, columns]
Matrix to_fp8(const Tensor& numbers, at::ScalarType dtype);

/// Whether a tensor is a large matrix of a model's blocks, which can be kept as float8_e4m3fn.
bool is_block_matrix(const std::string& name, const StoredTensor& stored);

}  // namespace t2v
