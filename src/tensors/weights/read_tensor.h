#pragma once

#include "files/checkpoints/component.h"
#include "tensors/tensor.h"

namespace t2v {

/// The values of a stored tensor, on the CPU. Plain numbers keep the dtype they are stored in: they are the
/// mapped file itself, and must not be written to, unless the file has them at an address that is not a
/// multiple of the element size. Quantized and scaled ones become float32. Error (kInput) for a BOOL that is
/// neither 0 nor 1, and a scale that does not fit.
Tensor read_tensor(const TensorSource& source);

/// What multiplies the values of a scaled tensor, float32: one number or one for each row, with as many
/// dimensions as the tensor. Error (kInput) for another number of them.
Tensor read_scale(const TensorSource& source);

/// The rows `rows` [count] int64 of a stored matrix, each one of its rows -> [count, columns]: read_tensor()
/// without the rest where the file has them one after another.
Tensor read_rows(const TensorSource& source, const Tensor& rows);

}  // namespace t2v
