#pragma once

#include <cstddef>
#include <span>

#include "files/formats/number_format.h"

namespace t2v {

/// Converts ggml's blocks to float32, bit for bit as the `gguf` package does. blocks: whole blocks of
/// `format`, a quantized one; numbers: room for exactly their numbers, in order.
void dequantize(NumberFormat format, std::span<const std::byte> blocks, std::span<float> numbers);

}  // namespace t2v
