#pragma once

#include <vector>

#include "families/family.h"

namespace t2v {

/// Family::parts() of Wan.
const std::vector<PartKind>& wan_parts();

/// CLIP's image processor, with the settings that every published image encoder has.
Preprocessor wan_image_processor();

}  // namespace t2v
