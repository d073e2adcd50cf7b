#pragma once

#include "t2v/generate.h"

namespace t2v {

/// Error (kUsage, kOutput) for a preview that could not be written, or would be in the way of the clip.
void check_preview(const GenerateRequest& request);

}  // namespace t2v
