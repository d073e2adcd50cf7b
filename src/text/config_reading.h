#pragma once

#include <string>
#include <vector>

#include "core/config.h"

namespace t2v {

/// The object under `key`. Error (kInput) if it is missing or of another type.
Config object_at(const Config& config, const std::string& key);
/// The list of objects under `key`. Error (kInput) if it is missing or of another type.
std::vector<Config> objects_at(const Config& config, const std::string& key);
/// Checks the keys of `config`. Error (kInput) for a key that is not in `known`, unless its value is null.
void expect_keys(const Config& config, const std::vector<std::string>& known);

}  // namespace t2v
