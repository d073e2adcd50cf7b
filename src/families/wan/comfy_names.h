#pragma once

#include <map>
#include <string>

#include "families/model_info.h"

namespace t2v {

/// Family::comfy_names() of Wan: of transformers and VAEs the names of the original code, of encoders the
/// names of transformers.
std::map<std::string, std::string> wan_comfy_names(const std::string& part, const PartInfo& info);

}  // namespace t2v
