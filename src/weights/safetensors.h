#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace t2v {

/// Writes named tensors (any device and strides) and `metadata` to `file`, which is whole and on the disk
/// afterwards, or as it was before: the bytes go to a temporary file beside it, which then takes its name.
/// Error (kOutput); (kUsage) if the name is taken and `overwrite` is false.
void write_safetensors(const std::filesystem::path& file,
                       const std::vector<std::pair<std::string, Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata, bool overwrite = true);

}  // namespace t2v
