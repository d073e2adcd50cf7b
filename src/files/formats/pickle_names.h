#pragma once

#include <optional>
#include <string_view>

#include "files/formats/number_format.h"

namespace t2v {

// The names, "module name", that the pickle of a state dict may ask for. None of them is ever looked up in
// Python.

inline constexpr std::string_view kOrderedDict = "collections OrderedDict";
inline constexpr std::string_view kTensorV2 = "torch._utils _rebuild_tensor_v2";
inline constexpr std::string_view kTensorV3 = "torch._utils _rebuild_tensor_v3";  // with a dtype: fp8
inline constexpr std::string_view kParameter = "torch._utils _rebuild_parameter";

/// "torch FloatStorage" -> kF32; nothing for another name.
std::optional<NumberFormat> storage_format(std::string_view name);
/// "torch float32" -> kF32; nothing for another name.
std::optional<NumberFormat> dtype_format(std::string_view name);
/// A storage of bytes, whose tensors say what they are.
bool is_byte_storage(std::string_view name);

/// Whether it is any of these.
bool is_allowed_name(std::string_view name);

}  // namespace t2v
