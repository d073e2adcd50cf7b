#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "files/hub/repository.h"

namespace t2v {

/// A model that has a short name.
struct KnownModel {
  std::string name;
  Repository repository;
  std::string about;
  int64_t bytes = 0;               ///< about
  std::vector<std::string> files;  ///< what of the repository it is; empty: the whole checkpoint
};

/// Reads every *.json of `folder`: {"models": [{"name", "repository", "about", "gigabytes", "files"}]}.
/// Error (kInput).
std::vector<KnownModel> read_manifests(const std::filesystem::path& folder);

/// What `name` means: one of `known`, or a repository. Nothing if it is neither.
std::optional<KnownModel> find_known(const std::vector<KnownModel>& known, const std::string& name);

}  // namespace t2v
