#pragma once

#include <string>
#include <vector>

#include "files/checkpoints/lora.h"
#include "tensors/tensor.h"

namespace t2v {

/// Whether one of the LoRA files changes the tensor `name` of its transformer.
bool lora_changes(const std::vector<LoraMerge>& loras, const std::string& name);

/// Adds the changes of all LoRA files to `base`, the tensor `name` of the checkpoint: strength * scale * B A
/// for each pair of matrices, strength * delta for each delta. Computes in float32 on the device of `base`.
Tensor lora_merged(const std::vector<LoraMerge>& loras, const std::string& name, const Tensor& base);

}  // namespace t2v
