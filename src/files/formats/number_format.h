#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace t2v {

/// How the numbers of a stored tensor are written: those of safetensors, then the blocks of ggml
/// (https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h), which share scales.
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
  kBool,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kIQ4_NL,
  kIQ4_XS,
};

/// "BF16", "F8_E4M3", "Q4_K", ...: the name that safetensors or ggml gives it.
std::string_view number_format_name(NumberFormat format);
/// The inverse for what a safetensors file may hold; nothing for another name.
std::optional<NumberFormat> number_format_of(std::string_view name);

/// What is stored together: `numbers` numbers in `bytes` bytes; one number but for ggml's blocks.
struct NumberBlock {
  int64_t numbers;
  int64_t bytes;
};
NumberBlock number_block(NumberFormat format);

/// Whether the numbers are fractions of some precision: all but integers and truth values.
bool is_floating(NumberFormat format);
/// Whether the numbers share scales in blocks: one of ggml's.
bool is_quantized(NumberFormat format);

}  // namespace t2v
