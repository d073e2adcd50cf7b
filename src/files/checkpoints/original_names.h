#pragma once

#include <map>
#include <string>
#include <string_view>

#include "files/checkpoints/component.h"

namespace t2v {

/// What ComfyUI calls the tensors of `component` ("transformer", "vae", ...): the names of the original code
/// for transformers and VAEs, those of transformers for encoders. From the names of diffusers.
std::map<std::string, std::string> comfy_names(std::string_view component, const Component& tensors);

}  // namespace t2v
