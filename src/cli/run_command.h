#pragma once

#include <string>
#include <vector>

#include "cli/screen/progress.h"
#include "t2v/generate.h"

namespace t2v {

/// Does what the arguments that follow the program's name ask for. Returns the exit code; does not return if
/// a signal ended the run.
int run_command(const std::vector<std::string>& words);

/// For work that takes long and looks at RunControl::stop: shows how it goes, and from now on a signal to
/// stop is a wish that it grants.
RunControl make_run_control(Progress& progress);

}  // namespace t2v
