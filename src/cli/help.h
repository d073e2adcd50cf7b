#pragma once

#include <string>

namespace t2v {

/// What --help prints: examples, every flag, exit codes, the lines of --progress json. At most 80 columns
/// wide.
std::string help_text();

}  // namespace t2v
