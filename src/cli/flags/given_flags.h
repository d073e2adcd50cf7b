#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "flag.h"

namespace t2v {

/// A flag with the values that were given for it on the command line, by the environment, by a config or by a
/// row of a batch.
struct GivenFlag {
  std::string name;                 ///< a long name without its dashes; `_` and `-` are the same
  std::vector<std::string> values;  ///< "true" or "false" for a switch; the items of a list
  std::string where;                ///< begins an error about it: "--steps", "T2V_STEPS", "t2v.json:4: steps"
};

/// Reads flags from a JSON object whose keys are their names; null gives no value. `where` is the name of the
/// object in errors: "jobs.jsonl:3". Error (kUsage) for a value that is an object or a list of lists, and for
/// keys that only record facts about a clip ("t2v", "model_sha256", ...).
std::vector<GivenFlag> given_from_json(const nlohmann::ordered_json& object, const std::string& where);

/// The settings of a clip without the keys that only record facts about it.
nlohmann::ordered_json flags_of_settings(const nlohmann::ordered_json& settings);

/// Reads flags from a file that holds one JSON object; the settings of a clip are such a file, and facts
/// about the clip are skipped. Errors name the line of the key. Error (kUsage) as given_from_json(), and for
/// a file that cannot be read, is not JSON, or has a key twice.
std::vector<GivenFlag> read_config(const std::filesystem::path& file);

/// Reads flags from the variables T2V_STEPS, T2V_GUIDANCE_SCALE, ... An empty variable is not set. A variable
/// that no flag in `groups` is named like is skipped.
std::vector<GivenFlag> given_from_environment(const std::vector<FlagGroup>& groups);

/// A variable that begins with T2V_ and names no flag.
struct UnusedVariable {
  std::string name;
  std::string warning;  ///< says so, and suggests the nearest name
};
std::vector<UnusedVariable> unused_variables(const std::vector<FlagGroup>& groups);

/// Joins flags of two sources. Where both give the same flag, or flags that exclude each other, those of the
/// nearer source stay.
std::vector<GivenFlag> merge(const std::vector<FlagGroup>& groups, const std::vector<GivenFlag>& nearer,
                             const std::vector<GivenFlag>& farther);

/// The given flags that `groups` have.
std::vector<GivenFlag> known_to(const std::vector<FlagGroup>& groups, const std::vector<GivenFlag>& given);

/// Error (kUsage) if `groups` have no flag of that name; it suggests the nearest name.
void expect_flag(const std::vector<FlagGroup>& groups, const GivenFlag& given);

/// Sets the flags in the given order. Error (kUsage) for an unknown flag, a flag that is given twice, and a
/// value that the flag does not take.
void apply_given(const std::vector<FlagGroup>& groups, const std::vector<GivenFlag>& given);

/// `where` of a flag without the flag's name: "--steps", "T2V_STEPS", "t2v.json:4".
std::string place_of(const GivenFlag& given);

}  // namespace t2v
