#pragma once

#include <functional>
#include <string>

#include "batch_plan.h"
#include "cli/screen/progress.h"

namespace t2v {

/// Prints every clip of a batch and whether it exists, then what the missing clips need. Returns the exit
/// code. Error (kUsage) for an existing clip with other settings that may not be replaced; and as
/// render_batch() before its first clip.
int list_batch(const BatchOptions& options, BatchPlan& plan, Progress& progress, bool json);

/// Renders the missing clips of a batch, together with other processes that work in the same folder. Returns
/// the exit code when every clip is written or has failed, here or in another process. `on_preview` is that
/// of RunControl. Error (kUsage) as list_batch(), and as plan_run() and check_sheet() before the first clip;
/// (kOutput); Stopped.
int render_batch(const BatchOptions& options, BatchPlan& plan, Progress& progress, bool json,
                 const std::function<void(const std::string& png)>& on_preview);

}  // namespace t2v
