#pragma once

#include <string>
#include <vector>

#include "files/checkpoints/lora.h"
#include "tensors/tensor.h"

namespace t2v {

/// Whether one of the LoRA files changes the tensor `name` of its transformer.
bool lora_changes(const std::vector<LoraMerge>& loras, const std::string& name);

/// The tensor `name`, which is `base` in the checkpoint, with every change added in float32: strength * scale
/// * B A for each pair of matrices, strength * delta for each delta. On the device of `base`.
Tensor lora_merged(const std::vector<LoraMerge>& loras, const std::string& name, const Tensor& base);

}  // namespace t2v
