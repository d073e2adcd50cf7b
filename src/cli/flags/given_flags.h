#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "flag.h"

namespace t2v {

/// What a flag was given: on the command line, by the environment, by a config, by a row of a batch.
struct GivenFlag {
  std::string name;                 ///< a long name without its dashes; `_` and `-` are the same
  std::vector<std::string> values;  ///< of a switch "true" or "false"; of a list its items
  std::string where;  ///< what an error about it begins with: "--steps", "T2V_STEPS", "t2v.json:4: steps"
};

/// What an object in JSON gives: its keys are the names of flags, null is nothing. `where` is what errors
/// call the object: "jobs.jsonl:3". Error (kUsage) for an object or a list of lists as a value, and for what
/// t2v only records about a clip ("t2v", "model_sha256", ...).
std::vector<GivenFlag> given_from_json(const nlohmann::ordered_json& object, const std::string& where);

/// The settings of a clip without what is only recorded about it.
nlohmann::ordered_json flags_of(const nlohmann::ordered_json& settings);

/// As given_from_json(), from a file that holds one object, such as the settings of a clip: what is only
/// recorded is skipped. `where` is the line of each key. Error (kUsage) also for one that cannot be read, is
/// not JSON, or has a key twice.
std::vector<GivenFlag> read_config(const std::filesystem::path& file);

/// What the variables T2V_STEPS, T2V_GUIDANCE_SCALE, ... give; an empty one is not set, and one that no flag
/// is named like is another program's.
std::vector<GivenFlag> given_from_environment(const std::vector<FlagGroup>& groups);

/// A variable that begins with T2V_ and names no flag.
struct UnusedVariable {
  std::string name;
  std::string said;  ///< about it, for a person, with the variable that may be meant
};
std::vector<UnusedVariable> unused_variables(const std::vector<FlagGroup>& groups);

/// Both: of a flag in both, and of flags that exclude each other, what was given nearer holds.
std::vector<GivenFlag> merge(const std::vector<FlagGroup>& groups, const std::vector<GivenFlag>& nearer,
                             const std::vector<GivenFlag>& farther);

/// Those whose names are among `groups`.
std::vector<GivenFlag> known_to(const std::vector<FlagGroup>& groups, const std::vector<GivenFlag>& given);

/// Error (kUsage) that begins with `where` for a name that no flag has.
void expect_flag(const std::vector<FlagGroup>& groups, const GivenFlag& given);

/// Sets the flags to what was given, in that order. Error (kUsage) that begins with `where` for a name that
/// no flag has, a flag given twice, or a value that it does not take.
void apply_given(const std::vector<FlagGroup>& groups, const std::vector<GivenFlag>& given);

/// Where it was given, without its name: "--steps", "T2V_STEPS", "t2v.json:4".
std::string place_of(const GivenFlag& given);

}  // namespace t2v
