#include "same_clip.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "flag_values.h"

namespace t2v {
namespace {

/// Flags that say where a clip is computed, not what.
constexpr std::array<std::string_view, 5> kUndecisive = {"device", "threads", "text_encoder_device",
                                                         "offload", "max_vram"};

/// A path without what leads to the repository in a Hugging Face cache.
std::string comparable(const std::string& text) {
  const size_t repository = text.find("/models--");
  return text.starts_with('/') && repository != std::string::npos ? text.substr(repository) : text;
}

std::map<std::string, std::vector<std::string>> decisive(const nlohmann::ordered_json& settings) {
  std::map<std::string, std::vector<std::string>> kept;
  for (const GivenFlag& given : given_from_json(flags_of(settings), "settings")) {
    if (std::find(kUndecisive.begin(), kUndecisive.end(), given.name) != kUndecisive.end()) continue;
    for (const std::string& value : given.values) kept[given.name].push_back(comparable(value));
  }
  return kept;
}

}  // namespace

bool same_clip(const nlohmann::ordered_json& recorded, const nlohmann::ordered_json& wanted,
               const std::function<std::string()>& model_sha256) {
  if (decisive(recorded) != decisive(wanted)) return false;
  const std::string then = recorded.value("model_sha256", "");
  const std::string now = then.empty() ? "" : model_sha256();
  return now.empty() || now == then;
}

}  // namespace t2v
