#pragma once

#include <filesystem>

#include "t2v/compare.h"
#include "t2v/run.h"

namespace t2v {

/// Compares two clips frame by frame, or two .safetensors files tensor by tensor. Error (kInput), Stopped.
Comparison compare_files(const std::filesystem::path& a, const std::filesystem::path& b,
                         const RunControl& control);

}  // namespace t2v
