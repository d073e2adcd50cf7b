#pragma once

#include <nlohmann/json_fwd.hpp>

namespace t2v {

/// Whether the settings of two clips, as inspect() gives them, decide the same frames: version, machine and
/// command line do not count, nor does where a Hugging Face cache is. Error (kUsage) for values of no flag.
bool same_clip(const nlohmann::ordered_json& a, const nlohmann::ordered_json& b);

}  // namespace t2v
