#pragma once

#include "files/checkpoints/component.h"
#include "tensors/quantization/matrix.h"
#include "tensors/tensor.h"

namespace t2v {

/// The values of a stored tensor, on the CPU. Plain numbers keep the dtype they are stored in: they are the
/// mapped file itself, and must not be written to, unless their address in it is not a multiple of the
/// element size. Quantized and scaled numbers become float32. Error (kInput) for a BOOL that is neither 0 nor
/// 1, and for a scale that is neither one number nor one for each row.
Tensor read_tensor(const TensorSource& source);

/// Some rows of a stored matrix, without reading the others where the file has the rows one after another.
/// rows: [count] int64, their numbers -> [count, columns]
Tensor read_rows(const TensorSource& source, const Tensor& rows);

/// A matrix stored as float8_e4m3fn, in the numbers of the file, to be computed in `dtype`. Error (kInput) as
/// read_tensor().
Matrix read_fp8(const TensorSource& source, at::ScalarType dtype);

}  // namespace t2v
