#pragma once

#include "networks/transformers/transformer_wan_cost.h"
#include "networks/transformers/transformer_wan_vace.h"

namespace t2v {

/// As for WanTransformer3DModel; `forward` includes the control latents.
DenoisingCost denoising_cost(const WanVACETransformer3DConfig& config, const LatentShape& latents,
                             at::ScalarType dtype, const Allocation& allocation);

}  // namespace t2v
