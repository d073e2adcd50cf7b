#pragma once

#include <map>
#include <string>
#include <vector>

#include "families/family.h"

namespace t2v {

/// Family::parts() of Wan.
const std::vector<PartKind>& wan_parts();

/// CLIP's image processor, with the settings that every published image encoder has.
Preprocessor wan_image_processor();

/// Family::comfy_names() of Wan: of transformers and VAEs the names of the original code, of encoders the
/// names of transformers.
std::map<std::string, std::string> wan_comfy_names(const std::string& part, const PartInfo& info);

/// Family::derive_config() of Wan, for "transformer", "vae", "text_encoder" and "image_encoder".
Config derive_wan_config(const std::string& part, const PartInfo& info, const ConfigHints& hints);

/// Family::fits() of Wan.
bool fits_wan(const std::string& part, const PartInfo& candidate, const PartInfo* transformer);

/// Family::check_parts() of Wan: names a VAE, text encoder, image encoder or second expert that is of another
/// model than the transformer, and a transformer of a model that t2v does not support.
void check_wan_parts(const ModelInfo& model);

}  // namespace t2v
