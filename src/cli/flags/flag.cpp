#include "flag.h"

#include <algorithm>

namespace t2v {

const Flag* find_flag(const std::vector<FlagGroup>& groups, const std::string& name) {
  std::string spelled = name;
  if (spelled.rfind("--", 0) == 0) std::replace(spelled.begin(), spelled.end(), '_', '-');
  for (const FlagGroup& group : groups) {
    for (const Flag& flag : group.flags) {
      if (std::find(flag.names.begin(), flag.names.end(), spelled) != flag.names.end()) return &flag;
    }
  }
  return nullptr;
}

std::vector<std::string> flag_names(const std::vector<FlagGroup>& groups) {
  std::vector<std::string> names;
  for (const FlagGroup& group : groups) {
    for (const Flag& flag : group.flags) names.insert(names.end(), flag.names.begin(), flag.names.end());
  }
  return names;
}

}  // namespace t2v
