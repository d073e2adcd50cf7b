#pragma once

#include "checkpoints/component.h"
#include "core/tensor.h"

namespace t2v {

/// The values of a stored tensor, on the CPU in the dtype they are stored in. They are the mapped file
/// itself, and must not be written to, unless the file has them at an address that is not a multiple of the
/// element size. Error (kInput) for a BOOL that is neither 0 nor 1.
Tensor read_tensor(const TensorSource& source);

}  // namespace t2v
