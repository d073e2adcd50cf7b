#include "text/config_reading.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace t2v {

Config object_at(const Config& config, const std::string& key) {
  if (!config.has(key) || !config.json().at(key).is_object()) config.fail(key, "an object");
  return Config(config.json().at(key), config.origin() + ", " + key);
}

std::vector<Config> objects_at(const Config& config, const std::string& key) {
  if (!config.has(key) || !config.json().at(key).is_array()) config.fail(key, "a list");
  std::vector<Config> list;
  for (const nlohmann::json& item : config.json().at(key)) {
    if (!item.is_object()) config.fail(key, "a list of objects");
    list.emplace_back(item, config.origin() + ", " + key + "[" + std::to_string(list.size()) + "]");
  }
  return list;
}

void expect_keys(const Config& config, const std::vector<std::string>& known) {
  for (const auto& [key, value] : config.json().items()) {
    if (value.is_null() || std::find(known.begin(), known.end(), key) != known.end()) continue;
    config.fail(key, "only keys that t2v knows here");
  }
}

}  // namespace t2v
