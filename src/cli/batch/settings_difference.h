#pragma once

#include <functional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace t2v {

/// The first setting that makes the frames of two clips differ, such as "--steps 2, not 3" or "other
/// weights";
/// "" for none. Both arguments are settings as inspect() returns them. Version, machine, command line and the
/// place of the Hugging Face cache are not compared. `model_sha256` gives the wanted weights' hash; it is
/// called only if everything else is the same, and an unknown hash is not compared. Error (kUsage) for a
/// setting that is no flag.
std::string settings_difference(const nlohmann::ordered_json& recorded, const nlohmann::ordered_json& wanted,
                                const std::function<std::string()>& model_sha256);

}  // namespace t2v
