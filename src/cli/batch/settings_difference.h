#pragma once

#include <functional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace t2v {

/// What a clip was made with, if these settings of it, as inspect() gives them, decide other frames than the
/// wanted ones: "--steps 2, not 3", "other weights"; "" if they are the same. Version, machine and command
/// line do not count, nor does where a Hugging Face cache is, but what weights they are does. `model_sha256`,
/// of what is wanted, is asked for only where the rest is the same; where it is not known or not recorded it
/// does not count. Error (kUsage) for values of no flag.
std::string what_differs(const nlohmann::ordered_json& recorded, const nlohmann::ordered_json& wanted,
                         const std::function<std::string()>& model_sha256);

}  // namespace t2v
