#pragma once

#include <string>

#include "t2v/generate.h"

namespace t2v {

/// The comment in the container of a preview, by which a later run of the same clip recognises it.
std::string preview_comment(const GenerateRequest& request);

}  // namespace t2v
