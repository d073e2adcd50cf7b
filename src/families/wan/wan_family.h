#pragma once

#include "families/family.h"
#include "families/wan/autoencoder_kl_wan_config.h"
#include "families/wan/transformer_wan_config.h"

namespace t2v {

/// Wan2.1 and Wan2.2: text, images or a control video to video.
const Family& wan_family();

LatentGeometry wan_geometry(const WanTransformer3DConfig& transformer, const AutoencoderKLWanConfig& vae);

}  // namespace t2v
