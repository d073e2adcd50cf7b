#pragma once

#include <string>
#include <vector>

#include "core/config.h"

namespace t2v {

/// The object under `key`. Error (kInput) if it is missing or something else.
Config object_at(const Config& config, const std::string& key);
/// The list of objects under `key`; Error (kInput) likewise.
std::vector<Config> objects_at(const Config& config, const std::string& key);
/// Error (kInput) naming a key of `config` that is not among `known`, unless its value is null.
void expect_keys(const Config& config, const std::vector<std::string>& known);

}  // namespace t2v
