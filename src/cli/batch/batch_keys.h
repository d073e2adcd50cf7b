#pragma once

#include <string>

#include "t2v/generate.h"

namespace t2v {

// Of checked requests: what clips of a batch share, so that it is loaded, planned or looked at once.

/// Equal for clips that one loaded model renders.
std::string model_key(const GenerateRequest& request);
/// Equal for clips of one size and length.
std::string shape_key(const GenerateRequest& request);
/// Equal for clips that take as much memory and disk, where model_key() and shape_key() are as well.
std::string kind_key(const GenerateRequest& request);
/// Equal for clips that begin with the same pictures and clips, where the others are as well.
std::string inputs_key(const GenerateRequest& request);

/// About how long a clip takes beside others.
double work_of(const GenerateRequest& request);

}  // namespace t2v
