#pragma once

#include "t2v/plan.h"

namespace t2v {

/// Prints a plan as a table or as JSON. Returns the exit code. Error (kOutput).
int print_plan(const Plan& plan, bool json);

}  // namespace t2v
