#pragma once

#include <filesystem>
#include <set>

#include "t2v/checked_request.h"

namespace t2v {

/// Error (kUsage, kOutput) for files that cannot be written, that exist and may not be replaced, or that are
/// in each other's way. `writable_folders`: the folders that are known to take files; grows.
void check_outputs(const Outputs& outputs, const Encoding& encoding, const CheckedSize& size,
                   std::set<std::filesystem::path>& writable_folders);

}  // namespace t2v
