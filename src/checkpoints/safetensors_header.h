#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "checkpoints/tensor_file.h"

namespace t2v {

/// What the header of a safetensors file says.
struct SafetensorsHeader {
  StoredTensors tensors;  ///< begin and end count from the end of the header
  std::map<std::string, std::string> metadata;
};

/// Parses the JSON of a header whose tensors have to fill `data_size` bytes exactly, without a gap or an
/// overlap. Error (kInput) that calls the file `origin` for anything else.
SafetensorsHeader parse_safetensors_header(std::string_view json, uint64_t data_size,
                                           const std::string& origin);

}  // namespace t2v
