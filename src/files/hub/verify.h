#pragma once

#include <filesystem>

#include "t2v/hub.h"

namespace t2v {

/// As verify_model, for the snapshot, or the one file of a snapshot, at `path`; `name` is what errors call
/// it.
VerifyResult verify(const std::string& name, const std::filesystem::path& path, const RunControl& control);

}  // namespace t2v
