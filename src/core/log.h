#pragma once

#include <string>

#include "t2v/log.h"

namespace t2v {

/// One line that a user should see although nothing failed. Not shown when quiet.
void log_warning(const std::string& message);

/// A warning that belongs to an error: shown when quiet as well.
void log_beside_error(const std::string& message);

/// One line about what was chosen where a user left it open, or what is being done. Not shown when quiet.
void log_note(const std::string& message);

/// One line for who asked for more (`-v`): files, dtypes, shapes, backends.
void log_verbose(const std::string& message);

}  // namespace t2v
