#pragma once

#include <filesystem>
#include <vector>

#include "flag.h"

namespace t2v {

/// --dry-run, of a command that changes nothing.
FlagGroup reading_flags(bool& dry_run);

/// Prints what would be read and how large it is: files, folders with all in them, numbered pictures by the
/// name that -o had or their pattern. Returns the exit code. Error (kInput) for what is not there, (kOutput).
int show_reads(const std::vector<std::filesystem::path>& paths, bool json);

}  // namespace t2v
