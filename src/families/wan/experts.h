#pragma once

#include <filesystem>
#include <string>

#include "families/model_info.h"

namespace t2v {

/// The two transformers of Wan2.2, which have the same tensors.
enum class Expert { kUnknown, kHighNoise, kLowNoise };

/// The expert that a file (of weights or of a LoRA) or a folder is by its own name, else by the name of its
/// folder: kLowNoise for "wan2.2_t2v_low_noise_14B.safetensors", "LowNoise/model.gguf",
/// "Wan2_2-T2V-A14B-LOW_fp8.gguf".
Expert expert_called(const std::filesystem::path& path);

/// How a sentence calls a transformer that is one of two experts while the other one is absent: "the
/// low-noise expert, by its name", or one of Wan2.2 I2V-A14B by its tensors; else "".
std::string lone_expert(const ModelInfo& model);

/// Error (kInput) for experts that are named the other way round.
void check_expert_names(const ModelInfo& model);

}  // namespace t2v
