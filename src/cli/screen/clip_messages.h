#pragma once

#include <string>

#include "t2v/generate.h"

namespace t2v {

/// What standard output gets for a clip: its path, or with --json its path, settings and the seconds it took;
/// one line.
std::string describe_result(const GenerateResult& result, bool json, double seconds);

}  // namespace t2v
