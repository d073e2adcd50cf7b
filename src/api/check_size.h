#pragma once

#include "files/checkpoints/checkpoint.h"
#include "t2v/checked_request.h"

namespace t2v {

/// Decides the size and length of a clip: what `asked` leaves empty comes from the preset. Error (kUsage) for
/// a clip that the model cannot make.
CheckedSize check_size(const ClipSize& asked, const Config& preset, const Checkpoint& checkpoint);

}  // namespace t2v
