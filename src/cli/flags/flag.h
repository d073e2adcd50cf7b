#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "value_parsers.h"

namespace t2v {

/// One flag, or one word that stands without a flag: everything that is known about it. Parsing, --help,
/// did-you-mean and errors all come from here.
struct Flag {
  std::vector<std::string>
      names;          ///< ours, then the short one, then those of other programs; `-` in long ones, never `_`
  std::string value;  ///< what --help calls its value; empty: a switch
  std::string help;
  std::string allowed;   ///< in words; empty: any text
  std::string fallback;  ///< what holds without the flag; empty: nothing to say
  std::function<void(const FlagValue&)> set;
  bool repeatable = false;  ///< all of its values count, not just the last
  /// The flags whose values it says in another way, and those that make no sense beside it: what these were
  /// given farther away (environment, config) does not hold.
  std::vector<std::string> decides = {}, replaces = {};
  std::vector<std::string> choices = {};  ///< words to complete

  bool takes_value() const { return !value.empty(); }
  /// Of values that commas separate; in JSON, a list.
  bool takes_list() const { return value == "LIST"; }
};

struct FlagGroup {
  std::string title;
  std::vector<Flag> flags;
};

/// The flag of that name, `_` and `-` being the same; nullptr if there is none.
const Flag* find_flag(const std::vector<FlagGroup>& groups, const std::string& name);

/// Every name of every flag.
std::vector<std::string> flag_names(const std::vector<FlagGroup>& groups);

// Each of these is a kind of flag: what is allowed, and where it goes. The target outlives the flag.

using Names = std::vector<std::string>;

template <typename Target>
Flag integer_flag(Names names, std::string help, Range<int64_t> range, Target& target,
                  std::string fallback = "") {
  return {std::move(names),
          "N",
          std::move(help),
          describe(range),
          std::move(fallback),
          [range, &target](const FlagValue& value) { target = parse_integer(value, range); }};
}

template <typename Target>
Flag number_flag(Names names, std::string help, Range<double> range, Target& target,
                 std::string fallback = "") {
  return {
      std::move(names),    "X",
      std::move(help),     describe(range),
      std::move(fallback), [range, &target](const FlagValue& value) { target = parse_number(value, range); }};
}

template <typename Target>
Flag choice_flag(Names names, std::string help, const std::vector<std::string>& choices, Target& target,
                 std::string fallback = "") {
  Flag flag = {std::move(names),
               "WORD",
               std::move(help),
               describe(choices),
               std::move(fallback),
               [choices, &target](const FlagValue& value) { target = parse_choice(value, choices); }};
  flag.choices = choices;
  return flag;
}

/// A path, or any text that is not empty.
template <typename Target>
Flag path_flag(Names names, std::string word, std::string help, Target& target, std::string fallback = "") {
  return {std::move(names),    std::move(word),
          std::move(help),     "",
          std::move(fallback), [&target](const FlagValue& value) { target = parse_path(value); }};
}

template <typename Target>
Flag switch_flag(Names names, std::string help, Target& target, std::type_identity_t<Target> value) {
  return {
      std::move(names), "", std::move(help), "", "", [value, &target](const FlagValue&) { target = value; }};
}

}  // namespace t2v
