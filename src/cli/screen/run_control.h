#pragma once

#include "progress.h"
#include "t2v/run.h"

namespace t2v {

/// For work that takes long: shows its events on `progress`, and stops it at the first signal to stop.
RunControl make_run_control(Progress& progress);

}  // namespace t2v
