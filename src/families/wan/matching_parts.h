#pragma once

#include <string>

#include "families/model_info.h"

namespace t2v {

/// Family::fits() of Wan.
bool fits_wan(const std::string& part, const PartInfo& candidate, const PartInfo* transformer);

/// Family::check_parts() of Wan: names a VAE, text encoder, image encoder or second expert that is of another
/// model than the transformer, and a transformer of a model that t2v does not support.
void check_wan_parts(const ModelInfo& model);

}  // namespace t2v
