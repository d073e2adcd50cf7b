#include "families/rename.h"

#include <cctype>

namespace t2v {
namespace {

/// What '#' and '*' of a pattern stood for.
struct Match {
  std::vector<std::string_view> numbers;
  std::optional<std::string> rest;
};

std::optional<Match> match(std::string_view pattern, std::string_view name) {
  Match found;
  for (; !pattern.empty(); pattern.remove_prefix(1)) {
    if (pattern == "*") {
      found.rest = std::string(name);
      return found;
    }
    size_t length = 0;
    if (pattern.front() == '#') {
      while (length < name.size() && std::isdigit(static_cast<unsigned char>(name[length])) != 0) ++length;
      found.numbers.push_back(name.substr(0, length));
    } else if (!name.empty() && name.front() == pattern.front()) {
      length = 1;
    }
    if (length == 0) return std::nullopt;
    name.remove_prefix(length);
  }
  return name.empty() ? std::optional(found) : std::nullopt;
}

std::string substitute(const std::string& pattern, const Match& match) {
  std::string name;
  size_t number = 0;
  for (const char letter : pattern) {
    if (letter == '#') {
      name += match.numbers[number++];
    } else if (letter == '*') {
      name += *match.rest;
    } else {
      name += letter;
    }
  }
  return name;
}

}  // namespace

std::optional<std::string> rename(const RenameTable& table, std::string_view name) {
  for (const Rename& entry : table) {
    std::optional<Match> found = match(entry.from, name);
    if (found && !entry.inner.empty()) {
      found->rest = rename(entry.inner, *found->rest);
      if (!found->rest) found.reset();
    }
    if (found) return substitute(entry.to, *found);
  }
  return std::nullopt;
}

}  // namespace t2v
