#pragma once

#include "families/latent_geometry.h"
#include "networks/transformers/transformer_wan.h"
#include "tensors/cost.h"

namespace t2v {

/// Cost of denoising latents, beside the weights.
struct DenoisingCost {
  Cost prompt;   ///< preparing a prompt, once a clip; kept_bytes: its keys and values
  Cost forward;  ///< one forward pass, its latents included
};

/// Rows of a prompt in denoising_cost().
constexpr int64_t kCountedPromptRows = 512;

/// The cost with weights in `dtype`. A model that sees images gets the embeddings of CLIP ViT-H.
DenoisingCost denoising_cost(const WanTransformer3DConfig& config, const LatentShape& latents,
                             at::ScalarType dtype, const Allocation& allocation);

}  // namespace t2v
