#pragma once

#include <functional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace t2v {

/// Whether a clip with these settings, as inspect() gives them, has the frames that the wanted ones decide:
/// version, machine and command line do not count, nor does where a Hugging Face cache is, but what weights
/// they are does. `model_sha256`, of what is wanted, is asked for only where the rest is the same; where it
/// is not known or not recorded it does not count. Error (kUsage) for values of no flag.
bool same_clip(const nlohmann::ordered_json& recorded, const nlohmann::ordered_json& wanted,
               const std::function<std::string()>& model_sha256);

}  // namespace t2v
