#pragma once

#include <vector>

#include "families/part_kind.h"

namespace t2v {

/// Family::parts() of Wan.
const std::vector<PartKind>& wan_parts();

}  // namespace t2v
