#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/shown_name.h"
#include "files/formats/tensor_file.h"

namespace t2v {

// Each reads the header of a whole file, `bytes`, that errors call `origin`. Error (kInput) for anything but
// a well-formed one, all of whose tensors lie inside it.

FileHeader read_safetensors_header(std::string_view bytes, const std::string& origin);
FileHeader read_gguf_header(std::string_view bytes, const std::string& origin);
/// The header is a pickle, which is interpreted without running anything: what is allowed is a dictionary of
/// tensors.
FileHeader read_torch_header(std::string_view bytes, const std::string& origin);

/// The largest shape a tensor may have: what LibTorch's element-wise operations can iterate over.
constexpr size_t kMostDimensions = 64;

/// Tensors, or values of metadata, that a file may have, and the bytes of a tensor's name. Published models
/// have a few thousand, of names of a hundred bytes; what is far beyond would take seconds and gigabytes to
/// look at.
constexpr size_t kMostEntries = 65'536;
constexpr size_t kLongestTensorName = 256;

/// Bytes of a contiguous tensor; nothing if the product overflows, or a block of numbers does not fit the
/// last dimension. A dimension of 0 does not hide that the others overflow: strides are products too.
std::optional<uint64_t> stored_size(NumberFormat format, const std::vector<int64_t>& shape);

/// The Error (kInput) for a pickle that cannot be read without running code; `got` tells why, and the advice
/// how to convert it.
Error pickle_error(const std::string& origin, const std::string& got);

}  // namespace t2v
