#pragma once

#include <functional>

#include "t2v/generate.h"

namespace t2v {

/// Calls `run`. An exception of RunControl::on_frames stops it and comes out as it was thrown, whatever the
/// engine does with exceptions. Error (kUsage) if the frames go neither to a file nor to on_frames.
GenerateResult hand_out_frames(const Outputs& outputs, const RunControl& control,
                               const std::function<GenerateResult(const RunControl&)>& run);

}  // namespace t2v
