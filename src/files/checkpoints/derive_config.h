#pragma once

#include <string_view>

#include "core/config.h"
#include "files/checkpoints/component.h"

namespace t2v {

/// What a file cannot say about itself.
struct ConfigHints {
  Config
      beside;  ///< the config.json beside the file, in diffusers' or the original style; {} if there is none
  Config replaced;  ///< of the component whose place this one takes; {} if it takes none
};

/// diffusers' config.json for a component whose tensors have the names of diffusers: sizes from shapes; what
/// shapes do not say from the hints and the metadata of the file, or as the published models have it. Error
/// (kInput) if that is not enough, or a tensor is missing that tells a size.
Config derive_config(std::string_view component, const Component& tensors, const ConfigHints& hints);

}  // namespace t2v
