#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "files/checkpoints/checkpoint.h"

namespace t2v {

/// Whether there is a model_index.json.
bool is_diffusers_folder(const std::filesystem::path& folder);

/// The family whose pipeline the model_index.json names. Error (kInput) if no family has it.
const Family& family_of_diffusers_folder(const std::filesystem::path& folder);

/// A checkpoint in the layout of diffusers. Parts in `left_out` are not opened; their configurations, where
/// they are there, are added to `configs`. Error (kInput).
Checkpoint open_diffusers_folder(const std::filesystem::path& folder,
                                 const std::set<std::string, std::less<>>& left_out, ConfigsByPart& configs);

}  // namespace t2v
