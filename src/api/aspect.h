#pragma once

#include <cstdint>

#include "t2v/generate.h"

namespace t2v {

/// Width and height from `request.aspect`, which is empty then: from the one that is given, or both, with at
/// most `area` pixels, told in the log. Both are multiples of `step`. Error (kUsage) if that does not come
/// out, or both are given.
void apply_aspect(GenerateRequest& request, int64_t area, int64_t step);

}  // namespace t2v
