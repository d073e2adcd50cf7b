#pragma once

#include <optional>
#include <string>

#include "files/checkpoints/component.h"
#include "tensors/tensor.h"

namespace t2v {

/// A matrix as it is kept between uses: in the numbers it is computed in, or as float8_e4m3fn.
struct Matrix {
  Tensor values;                ///< [rows, columns]
  std::optional<Tensor> scale;  ///< of float8_e4m3fn, float32: multiplies all, [1, 1], or each row, [rows, 1]
  at::ScalarType dtype;         ///< that it is computed in

  /// The matrix in `dtype`.
  Tensor numbers() const;
  Matrix to(at::Device device) const;
  Matrix pinned() const;
};

/// The nearest numbers that float8_e4m3fn has, each row scaled to its largest. numbers: [rows, columns].
Matrix to_fp8(const Tensor& numbers, at::ScalarType dtype);

/// A matrix stored as float8_e4m3fn, in the very numbers of the file. Error (kInput) for a scale that does
/// not fit.
Matrix read_fp8(const TensorSource& source, at::ScalarType dtype);

/// Whether a tensor is one of the big matrices, inside blocks, for which float8_e4m3fn is.
bool is_block_matrix(const std::string& name, const StoredTensor& stored);

}  // namespace t2v
