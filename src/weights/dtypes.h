#pragma once

#include <optional>
#include <string_view>

#include "core/tensor.h"

namespace t2v {

/// "BF16" -> kBFloat16; nothing for a name that the format does not have, or whose numbers LibTorch cannot
/// hold as they are.
std::optional<at::ScalarType> dtype_of_safetensors(std::string_view name);

/// The inverse; nothing for a dtype that is not written.
std::optional<std::string_view> safetensors_of_dtype(at::ScalarType dtype);

}  // namespace t2v
