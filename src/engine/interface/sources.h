#pragma once

#include "files/checkpoints/checkpoint.h"
#include "t2v/request.h"

namespace t2v {

/// The checkpoint that a model is chosen from.
inline CheckpointSources sources_of(const ModelChoice& choice) {
  return {.model = choice.model, .parts = choice.parts};
}

}  // namespace t2v
