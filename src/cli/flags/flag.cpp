#include "flag.h"

#include <algorithm>
#include <iterator>

namespace t2v {
namespace {

bool is_short(const std::string& name) { return name.size() == 2 && name[0] == '-'; }

}  // namespace

std::string Flag::short_name() const {
  const auto found = std::find_if(names.begin(), names.end(), is_short);
  return found == names.end() ? "" : *found;
}

std::vector<std::string> Flag::aliases() const {
  std::vector<std::string> others;
  std::remove_copy_if(names.begin() + 1, names.end(), std::back_inserter(others), is_short);
  return others;
}

const Flag* find_flag(const std::vector<FlagGroup>& groups, const std::string& name) {
  std::string spelled = name;
  if (spelled.starts_with("--")) std::replace(spelled.begin(), spelled.end(), '_', '-');
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

Flag value_flag(const Names& names, const std::string& word, const std::string& help,
                const std::string& allowed, const std::function<void(const FlagValue&)>& set) {
  return {.names = names, .value = word, .help = help, .allowed = allowed, .fallback = "", .set = set};
}

Flag defaulting(const std::string& fallback, Flag flag) {
  flag.fallback = fallback;
  return flag;
}

Flag repeatable(Flag flag) {
  flag.repeatable = true;
  return flag;
}

Flag deciding(const Names& others, Flag flag) {
  flag.decides = others;
  return flag;
}

Flag replacing(const Names& others, Flag flag) {
  flag.replaces = others;
  return flag;
}

}  // namespace t2v
