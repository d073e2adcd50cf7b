#pragma once

#include <cstdint>

#include "t2v/request.h"

namespace t2v {

/// `asked` with a width and a height of its aspect: from the side that is given, or of at most `area` pixels,
/// which the log says. Both are multiples of `step`. Error (kUsage) if there is no such size, or both sides
/// are given.
ClipSize apply_aspect(const ClipSize& asked, int64_t area, int64_t step);

}  // namespace t2v
