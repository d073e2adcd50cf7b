#pragma once

#include "files/checkpoints/checkpoint.h"
#include "t2v/generate.h"

namespace t2v {

/// The files and folders that a request names for its model.
inline CheckpointSources sources_of(const GenerateRequest& request) {
  return {.model = request.model,
          .transformer = request.transformer,
          .transformer_2 = request.transformer_2,
          .vae = request.vae,
          .text_encoder = request.text_encoder,
          .tokenizer = request.tokenizer,
          .image_encoder = request.image_encoder};
}

}  // namespace t2v
