#pragma once

#include <vector>

#include "files/checkpoints/checkpoint.h"
#include "files/checkpoints/lora.h"
#include "t2v/request.h"

namespace t2v {

/// The checkpoint that a model is chosen from.
inline CheckpointSources sources_of(const ModelChoice& choice) {
  return {.model = choice.model, .parts = choice.parts};
}

inline std::vector<NamedLora> named_loras(const std::vector<LoraChoice>& choices) {
  std::vector<NamedLora> named;
  for (const LoraChoice& choice : choices) named.push_back({choice.file, choice.strength});
  return named;
}

}  // namespace t2v
