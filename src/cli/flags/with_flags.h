#pragma once

#include <string>
#include <vector>

#include "flag.h"

namespace t2v {

/// `message` with the name of the flag in place of each setting that stands in backquotes: "`num_frames` 81"
/// becomes "--frames 81", and "`vae_tiling` true" becomes "--vae-tiling". Names that no flag has stay as they
/// are.
std::string with_flags(const std::vector<FlagGroup>& groups, const std::string& message);

}  // namespace t2v
