#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace t2v {

/// How the numbers of a stored tensor are written. Names and layouts are those of the safetensors format and,
/// from kQ4_0 on, of ggml.
enum class NumberFormat : uint8_t {
  kF64,
  kF32,
  kF16,
  kBF16,
  kF8E4M3,
  kF8E5M2,
  kI64,
  kI32,
  kI16,
  kI8,
  kU8,
  kBool
};

/// "BF16", "F8_E4M3", ...: the name that safetensors gives it.
std::string_view number_format_name(NumberFormat format);
/// The inverse; nothing for another name.
std::optional<NumberFormat> number_format_of(std::string_view name);

/// Bytes of one number.
int64_t element_size(NumberFormat format);
/// Whether the numbers are fractions of some precision: all but integers and truth values.
bool is_floating(NumberFormat format);

}  // namespace t2v
