#include "settings_difference.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/flags/generate_flags.h"
#include "cli/flags/given_flags.h"
#include "core/text.h"

namespace t2v {
namespace {

/// Whether the flag of this name only chooses where a clip is computed; such flags are not compared.
bool only_places(const std::string& name) {
  static GenerateArguments arguments;
  static const std::vector<FlagGroup> groups = generate_flags(arguments);
  const Flag* flag = find_flag(groups, "--" + name);
  return flag != nullptr && !flag->decides_clip;
}

/// A path without the folder of the Hugging Face cache.
std::string without_cache_folder(const std::string& text) {
  const size_t repository = text.find("/models--");
  return text.starts_with('/') && repository != std::string::npos ? text.substr(repository) : text;
}

using Values = std::map<std::string, std::vector<std::string>>;

Values compared_settings(const nlohmann::ordered_json& settings) {
  Values kept;
  for (const GivenFlag& given : given_from_json(flags_of_settings(settings), "settings")) {
    if (only_places(given.name)) continue;
    for (const std::string& value : given.values) kept[given.name].push_back(without_cache_folder(value));
  }
  return kept;
}

/// The values of a setting for a message, cut if they are long.
std::string shown(const Values& settings, const std::string& name) {
  constexpr size_t kMostShown = 60;
  const auto found = settings.find(name);
  std::string text;
  if (found != settings.end()) {
    for (const std::string& value : found->second) text += (text.empty() ? "" : ", ") + value;
  }
  if (text.size() <= kMostShown) return text.empty() ? "nothing" : escape_for_display(text);
  text.resize(kMostShown);
  while (!is_valid_utf8(text)) text.pop_back();
  return escape_for_display(text) + "...";
}

}  // namespace

std::string settings_difference(const nlohmann::ordered_json& recorded, const nlohmann::ordered_json& wanted,
                                const std::function<std::string()>& model_sha256) {
  const Values there = compared_settings(recorded), asked = compared_settings(wanted);
  Values either = there;
  either.insert(asked.begin(), asked.end());
  for (const auto& [name, values] : either) {
    if (there.contains(name) && asked.contains(name) && there.at(name) == asked.at(name)) continue;
    std::string flag = "--" + name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    return flag + " " + shown(there, name) + ", not " + shown(asked, name);
  }
  const std::string then = recorded.value("model_sha256", "");
  const std::string now = then.empty() ? "" : model_sha256();
  return now.empty() || now == then ? "" : "other weights";
}

}  // namespace t2v
