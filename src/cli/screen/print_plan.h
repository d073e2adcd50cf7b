#pragma once

#include "cli/flags/generate_flags.h"
#include "t2v/generate.h"
#include "t2v/plan.h"

namespace t2v {

/// Prints a plan, as JSON if asked. Returns the exit code. Error (kOutput).
int show_plan(const Plan& plan, bool json);

/// Prints that the clip which was asked for is there: nothing would be done.
int show_there(const GenerateResult& clip, bool json);

/// --dry-run, of a command that makes a clip.
FlagGroup dry_run_flag(bool& dry_run);

}  // namespace t2v
