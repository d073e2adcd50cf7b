#pragma once

#include <string>

#include "t2v/log.h"

namespace t2v {

/// One line about a problem that does not stop the work. Hidden by kQuiet.
void log_warning(const std::string& message);

/// A warning that belongs to an error. Always shown.
void log_beside_error(const std::string& message);

/// One line about the start of work, or about a value that t2v chose. Hidden by kQuiet.
void log_note(const std::string& message);

/// One line of details: files, dtypes, shapes, backends. Shown by kVerbose alone.
void log_verbose(const std::string& message);

}  // namespace t2v
