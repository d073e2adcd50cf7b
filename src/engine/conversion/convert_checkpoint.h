#pragma once

#include "files/checkpoints/checkpoint.h"
#include "t2v/convert.h"

namespace t2v {

/// The files of convert(), for a request that was checked and its input, opened.
ConvertPlan plan_conversion(const Checkpoint& checkpoint, const ConvertRequest& request);

/// convert(), for a request that was checked and its input, opened. Error (kInput, kOutput); Stopped.
ConvertResult convert_checkpoint(const Checkpoint& checkpoint, const ConvertRequest& request,
                                 const RunControl& control);

}  // namespace t2v
