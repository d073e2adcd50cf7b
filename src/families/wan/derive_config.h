#pragma once

#include <string>

#include "families/family.h"

namespace t2v {

/// Family::derive_config() of Wan, for "transformer", "vae", "text_encoder" and "image_encoder".
Config derive_wan_config(const std::string& part, const PartInfo& info, const ConfigHints& hints);

}  // namespace t2v
