#include "given_flags.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "text_file.h"
#include "usage_error.h"

namespace t2v {
namespace {

using Groups = std::vector<FlagGroup>;
using nlohmann::ordered_json;

/// Keys of settings and presets that are not flags: they record facts about a clip, or say which models a
/// preset is for.
const std::vector<std::string> kFacts = {"t2v",         "matches",       "arguments", "model_sha256",
                                         "device_name", "skipped_steps", "encoder",   "teacache"};
/// Flags that can only stand on a command line.
const std::vector<std::string> kOnlyOnCommandLine = {"config", "help", "version"};
constexpr size_t kLargestConfig = 1 << 20;
constexpr const char* kVariablePrefix = "T2V_";

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

const Flag* flag_of(const Groups& groups, const std::string& name) { return find_flag(groups, "--" + name); }

/// A JSON value as it would be typed on a command line.
std::string text_of(const ordered_json& value, const std::string& where) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean() || value.is_number()) return value.dump();
  refuse(where,
         value.is_null()    ? "null"
         : value.is_array() ? "a list in a list"
                            : "an object",
         "a text, a number, true or false");
}

GivenFlag given_from_value(const std::string& name, const ordered_json& value, const std::string& where) {
  GivenFlag given{name, {}, where + ": " + name};
  if (contains(kOnlyOnCommandLine, name))
    refuse(given.where, "a flag that a file cannot give", "it on the command line");
  if (!value.is_array()) {
    given.values.push_back(text_of(value, given.where));
  } else {
    for (const ordered_json& item : value) given.values.push_back(text_of(item, given.where));
  }
  return given;
}

/// A JSON object, and its keys with the line of each; a key that stands twice is there twice.
struct Config {
  ordered_json object;
  std::vector<std::pair<std::string, std::string>> keys;  ///< name, "file:line"
};

Config parse_config(const std::filesystem::path& file) {
  const std::string doing = "--config " + file.string();
  const std::string text = read_text_file(std::filesystem::absolute(file), kLargestConfig + 1, doing);
  if (text.size() > kLargestConfig) refuse(doing, "a file of more than 1 MiB", "a JSON object of flags");
  const auto line_at = [&](size_t end) {
    const auto last = text.begin() + static_cast<std::ptrdiff_t>(std::min(end, text.size()));
    return file.string() + ':' + std::to_string(1 + std::count(text.begin(), last, '\n'));
  };
  constexpr const char* kExpected = R"(a JSON object such as {"steps": 20})";
  std::istringstream stream(text);
  Config config;
  const auto note_key = [&](int depth, nlohmann::json::parse_event_t event, const ordered_json& parsed) {
    if (depth == 1 && event == ordered_json::parse_event_t::key) {
      config.keys.emplace_back(parsed.get<std::string>(), line_at(static_cast<size_t>(stream.tellg())));
    }
    return true;
  };
  try {
    config.object = ordered_json::parse(stream, note_key);
  } catch (const ordered_json::parse_error& error) {
    refuse(line_at(error.byte == 0 ? 0 : error.byte - 1), "text that is not JSON", kExpected);
  } catch (const ordered_json::exception&) {
    refuse(line_at(text.size()), "a number that is too large", kExpected);
  }
  if (!config.object.is_object()) refuse(line_at(0), "JSON that is no object", kExpected);
  return config;
}

/// The variables that begin with T2V_, sorted by name.
std::vector<GivenFlag> variables() {
  std::vector<GivenFlag> found;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string entry = *variable;
    const size_t equals = entry.find('=');
    if (!entry.starts_with(kVariablePrefix) || equals == std::string::npos || equals + 1 == entry.size())
      continue;
    std::string name = entry.substr(std::strlen(kVariablePrefix), equals - std::strlen(kVariablePrefix));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    found.push_back({name, {entry.substr(equals + 1)}, entry.substr(0, equals)});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.where < b.where; });
  return found;
}

/// Whether the value of `other` does not count if `flag` is given nearer.
bool excludes(const Flag& flag, const Flag& other) {
  return &flag == &other || contains(flag.decides, other.names[0]) || contains(flag.replaces, other.names[0]);
}

/// Longer names are cut before they are shown and compared.
constexpr size_t kLongestName = 60;

/// The known key that is most like `name`; "" if none is.
std::string closest_key(const Groups& groups, std::string name) {
  name.resize(std::min(name.size(), kLongestName));
  std::replace(name.begin(), name.end(), '-', '_');
  std::vector<std::string> known;
  for (const std::string& flag : flag_names(groups)) {
    if (flag.size() <= 2) continue;
    known.push_back(flag.substr(2));
    std::replace(known.back().begin(), known.back().end(), '-', '_');
  }
  return closest_match(name, known);
}

[[noreturn]] void refuse_name(const Groups& groups, const GivenFlag& given) {
  const std::string meant = closest_key(groups, given.name);
  refuse(place_of(given) + ": unknown key \"" + given.name.substr(0, kLongestName) + '"', "", "",
         meant.empty() ? "t2v --help lists the flags, whose long names are the keys"
                       : "did you mean \"" + meant + "\"?");
}

void set_switch(const Flag& flag, const GivenFlag& given) {
  const std::string value = given.values.size() == 1 ? given.values[0] : "a list";
  if (value == "true" || value == "1") {
    flag.set({given.where, ""});
  } else if (value != "false" && value != "0") {
    refuse(given.where, '"' + value + '"', "true or false");
  }
}

void set_values(const Flag& flag, const GivenFlag& given) {
  if (flag.repeatable) {
    for (const std::string& value : given.values) flag.set({given.where, value});
    return;
  }
  if (given.values.size() != 1 && !flag.takes_list()) {
    refuse(given.where, "a list of " + std::to_string(given.values.size()), "one value");
  }
  std::string joined;
  for (const std::string& value : given.values) joined += (joined.empty() ? "" : ",") + value;
  flag.set({given.where, joined});
}

}  // namespace

std::vector<GivenFlag> given_from_json(const ordered_json& object, const std::string& where) {
  std::vector<GivenFlag> given;
  for (const auto& [name, value] : object.items()) {
    if (contains(kFacts, name)) {
      refuse(where + ": " + name, "what is recorded about a clip", "a flag", "leave it out");
    }
    if (!value.is_null()) given.push_back(given_from_value(name, value, where));
  }
  return given;
}

ordered_json flags_of_settings(const ordered_json& settings) {
  ordered_json flags = settings;
  for (const std::string& name : kFacts) flags.erase(name);
  return flags;
}

std::vector<GivenFlag> read_config(const std::filesystem::path& file) {
  const Config config = parse_config(file);
  std::vector<GivenFlag> given;
  std::map<std::string, std::string> seen;
  for (const auto& [name, line] : config.keys) {
    const auto [earlier, is_new] = seen.emplace(name, line);
    if (!is_new) refuse(line + ": " + name, "the key a second time", "it once", "see " + earlier->second);
    const ordered_json& value = config.object[name];
    if (!value.is_null() && !contains(kFacts, name)) given.push_back(given_from_value(name, value, line));
  }
  return given;
}

std::vector<GivenFlag> given_from_environment(const Groups& groups) {
  std::vector<GivenFlag> given = known_to(groups, variables());
  std::erase_if(given, [](const GivenFlag& item) { return item.name == "help" || item.name == "version"; });
  return given;
}

std::vector<UnusedVariable> unused_variables(const Groups& groups) {
  std::vector<UnusedVariable> unused;
  for (const GivenFlag& variable : variables()) {
    if (flag_of(groups, variable.name) != nullptr) continue;
    std::string warning = escape_for_display(variable.where) + " names no flag: not used";
    if (std::string meant = closest_key(groups, variable.name); !meant.empty()) {
      std::transform(meant.begin(), meant.end(), meant.begin(),
                     [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
      warning += "; did you mean " + std::string(kVariablePrefix) + meant + '?';
    }
    unused.push_back({variable.where, warning});
  }
  return unused;
}

std::vector<GivenFlag> merge(const Groups& groups, const std::vector<GivenFlag>& nearer,
                             const std::vector<GivenFlag>& farther) {
  std::vector<GivenFlag> merged;
  for (const GivenFlag& far : farther) {
    const Flag* other = flag_of(groups, far.name);
    const bool excluded =
        other != nullptr && std::any_of(nearer.begin(), nearer.end(), [&](const auto& near) {
          const Flag* flag = flag_of(groups, near.name);
          return flag != nullptr && excludes(*flag, *other);
        });
    if (!excluded) merged.push_back(far);
  }
  merged.insert(merged.end(), nearer.begin(), nearer.end());
  return merged;
}

std::vector<GivenFlag> known_to(const Groups& groups, const std::vector<GivenFlag>& given) {
  std::vector<GivenFlag> known;
  std::copy_if(given.begin(), given.end(), std::back_inserter(known),
               [&](const GivenFlag& item) { return flag_of(groups, item.name) != nullptr; });
  return known;
}

void expect_flag(const Groups& groups, const GivenFlag& given) {
  if (flag_of(groups, given.name) == nullptr) refuse_name(groups, given);
}

void apply_given(const Groups& groups, const std::vector<GivenFlag>& given) {
  std::map<const Flag*, std::string> seen;
  for (const GivenFlag& item : given) {
    expect_flag(groups, item);
    const Flag* flag = flag_of(groups, item.name);
    const auto [earlier, is_new] = seen.emplace(flag, item.where);
    if (!is_new) refuse(item.where, "the flag a second time", "it once", "see " + earlier->second);
    flag->takes_value() ? set_values(*flag, item) : set_switch(*flag, item);
  }
}

std::string place_of(const GivenFlag& given) {
  const std::string name = ": " + given.name;
  return given.where.ends_with(name) ? given.where.substr(0, given.where.size() - name.size()) : given.where;
}

}  // namespace t2v
