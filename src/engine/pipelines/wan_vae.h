#pragma once

#include <memory>

#include "engine/pipelines/component_loader.h"
#include "engine/pipelines/latent_codec.h"

namespace t2v {

/// Loads the component "vae", an AutoencoderKLWan. Error (kInput).
std::shared_ptr<const Vae> load_wan_vae(const ComponentLoader& loader, bool with_encoder);

}  // namespace t2v
