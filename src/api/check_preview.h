#pragma once

#include <string>

#include "t2v/generate.h"

namespace t2v {

/// Error (kUsage, kOutput) for a preview that could not be written, or would be in the way of the clip.
void check_preview(const GenerateRequest& request);

/// What a preview has as its comment, by which a later run knows it for one of the same clip.
std::string preview_comment(const GenerateRequest& request);

}  // namespace t2v
