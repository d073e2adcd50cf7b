#pragma once

#include "files/checkpoints/checkpoint.h"
#include "t2v/convert.h"

namespace t2v {

/// Plans the files of convert_checkpoint().
ConvertPlan plan_conversion(const Checkpoint& checkpoint, const ConvertRequest& request);

/// Converts `checkpoint`, the opened input of a checked request. Error (kInput, kOutput); Stopped.
ConvertResult convert_checkpoint(const Checkpoint& checkpoint, const ConvertRequest& request,
                                 const RunControl& control);

}  // namespace t2v
