#pragma once

#include <optional>

#include "files/formats/number_format.h"
#include "tensors/tensor.h"

namespace t2v {

/// kBF16 -> kBFloat16.
at::ScalarType dtype_of(NumberFormat format);

/// The inverse of dtype_of(); nothing for a dtype that no file holds.
std::optional<NumberFormat> number_format_of(at::ScalarType dtype);

}  // namespace t2v
