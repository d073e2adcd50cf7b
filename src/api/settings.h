#pragma once

#include <string>

#include "t2v/generate.h"

namespace t2v {

/// The settings of a checked request as one line of JSON: what is recorded in the clip. `device` is the one
/// that computed.
std::string settings_json(const GenerateRequest& request, const std::string& device);

}  // namespace t2v
