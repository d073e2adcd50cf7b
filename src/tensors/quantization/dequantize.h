#pragma once

#include <cstddef>
#include <span>

#include "files/formats/number_format.h"

namespace t2v {

/// The numbers of ggml's blocks in float32, in order: `blocks` holds whole blocks of `format`, one of the
/// quantized ones, and `numbers` has room for exactly theirs. Equal, bit for bit, to the `gguf` package.
void dequantize(NumberFormat format, std::span<const std::byte> blocks, std::span<float> numbers);

}  // namespace t2v
