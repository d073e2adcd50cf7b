#pragma once

#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "value_parsers.h"

namespace t2v {

/// Everything that is known about a flag, or about an operand: a word without a flag. Parsing, --help, shell
/// completion, suggestions and errors all read it here.
struct Flag {
  /// The long name, then the short one, then the aliases: names of the same flag in other programs. Long
  /// names are written with `-`, never `_`. An operand has one name, without dashes.
  std::vector<std::string> names;
  std::string value;  ///< placeholder of the value in --help; empty: a switch
  std::string help;
  std::string allowed;   ///< the values it takes, in words; empty: any text
  std::string fallback;  ///< the default value, in words; empty: none
  std::function<void(const FlagValue&)> set;
  bool repeatable = false;  ///< every value counts, not only the last one
  /// Other flags whose values do not count when they come from farther away (command line, environment,
  /// config): `decides` are flags that this one gives in another form, `replaces` are flags that contradict
  /// it.
  std::vector<std::string> decides = {}, replaces = {};
  std::vector<std::string> choices = {};  ///< words for shell completion
  bool decides_clip = true;  ///< false: clips that differ in this value alone count as the same clip

  const std::string& name() const { return names[0]; }
  std::string short_name() const;  ///< "-o"; "" for none
  std::vector<std::string> aliases() const;
  bool is_operand() const { return name()[0] != '-'; }
  bool takes_value() const { return !value.empty(); }
  /// Whether the value is a list: in JSON a list, elsewhere separated by commas.
  bool takes_list() const { return value == "LIST"; }
};

struct FlagGroup {
  std::string title;
  std::vector<Flag> flags;
};

/// The flag with that name, `_` and `-` being the same; nullptr for none.
const Flag* find_flag(const std::vector<FlagGroup>& groups, const std::string& name);

/// Every name of every flag.
std::vector<std::string> flag_names(const std::vector<FlagGroup>& groups);

// One function for each kind of flag. A flag with a target writes its value into it; the target must outlive
// it.

using Names = std::vector<std::string>;

/// Takes a value that `set` reads; `word` is its placeholder in --help.
Flag value_flag(const Names& names, const std::string& word, const std::string& help,
                const std::string& allowed, const std::function<void(const FlagValue&)>& set);

/// The flag with a default value, in words.
Flag defaulting(const std::string& fallback, Flag flag);
/// The flag, of which every value counts.
Flag repeatable(Flag flag);
/// The flag with Flag::decides, or with Flag::replaces.
Flag deciding(const Names& others, Flag flag);
Flag replacing(const Names& others, Flag flag);

template <typename Target>
Flag integer_flag(const Names& names, const std::string& help, Range<int64_t> range, Target& target,
                  const std::string& fallback = "") {
  const auto set = [range, &target](const FlagValue& value) { target = parse_integer(value, range); };
  return defaulting(fallback, value_flag(names, "N", help, describe(range), set));
}

template <typename Target>
Flag number_flag(const Names& names, const std::string& help, Range<double> range, Target& target,
                 const std::string& fallback = "") {
  const auto set = [range, &target](const FlagValue& value) { target = parse_number(value, range); };
  return defaulting(fallback, value_flag(names, "X", help, describe(range), set));
}

template <typename Target>
Flag choice_flag(const Names& names, const std::string& help, const std::vector<std::string>& choices,
                 Target& target, const std::string& fallback = "") {
  const auto set = [choices, &target](const FlagValue& value) { target = parse_choice(value, choices); };
  Flag flag = defaulting(fallback, value_flag(names, "WORD", help, describe(choices), set));
  flag.choices = choices;
  return flag;
}

/// Takes a path, or any other text that is not empty.
template <typename Target>
Flag path_flag(const Names& names, const std::string& word, const std::string& help, Target& target,
               const std::string& fallback = "") {
  const auto set = [&target](const FlagValue& value) { target = parse_path(value); };
  return defaulting(fallback, value_flag(names, word, help, "", set));
}

/// Takes no value: the flag sets `target` to `value`.
template <typename Target>
Flag switch_flag(const Names& names, const std::string& help, Target& target,
                 std::type_identity_t<Target> value) {
  return value_flag(names, "", help, "", [value, &target](const FlagValue&) { target = value; });
}

}  // namespace t2v
