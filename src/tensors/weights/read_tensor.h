#pragma once

#include "files/checkpoints/component.h"
#include "tensors/quantization/matrix.h"
#include "tensors/tensor.h"

namespace t2v {

/// The values of a stored tensor, on the CPU. Plain numbers keep their stored dtype; they are the mapped file
/// itself and must not be written to. (They are a copy if their address is not a multiple of the element
/// size.) Quantized and scaled numbers become float32. Error (kInput) for a BOOL that is neither 0 nor
/// 1, and for a scale that is neither one number nor one for each row.
Tensor read_tensor(const TensorSource& source);

/// Some rows of a stored matrix. The others are not read if the file stores the matrix row by row. rows:
/// [count] int64, the numbers of the rows -> [count, columns]
Tensor read_rows(const TensorSource& source, const Tensor& rows);

/// A matrix stored as float8_e4m3fn, with the bits of the file. `dtype`: the dtype of its products. Error
/// (kInput) as read_tensor().
Matrix read_fp8(const TensorSource& source, at::ScalarType dtype);

}  // namespace t2v
