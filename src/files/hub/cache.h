#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "files/hub/repository.h"

namespace t2v {

/// The cache that huggingface_hub keeps, in its layout: models--org--repo/ with blobs/HASH, refs/REVISION
/// (the name of a commit) and snapshots/COMMIT/PATH (links to blobs).
/// https://huggingface.co/docs/hub/local-cache
class HubCache {
 public:
  explicit HubCache(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path folder(const std::string& id) const;
  std::filesystem::path blob(const std::string& id, const std::string& hash) const;
  /// The file whose lock (flock) holds whoever downloads that blob.
  std::filesystem::path lock_file(const std::string& id, const std::string& hash) const;
  std::filesystem::path snapshot(const std::string& id, const std::string& commit) const;

  /// The snapshot of that revision, if it is here; whether it is whole, missing_files() tells.
  std::optional<std::filesystem::path> find(const Repository& repository) const;
  /// Every repository of which something is here.
  std::vector<std::string> repositories() const;

  /// Makes `path` of a snapshot a link to a blob, replacing what is there. Error (kOutput).
  void link(const std::string& id, const std::string& commit, const std::string& path,
            const std::string& hash) const;
  /// Records which commit a branch or tag is; nothing for a commit. Error (kOutput).
  void set_reference(const Repository& repository, const std::string& commit) const;

 private:
  std::filesystem::path root_;
};

/// What a snapshot has to have and lacks: targets of links, shards that an index names, components that
/// model_index.json names.
std::vector<std::string> missing_files(const std::filesystem::path& snapshot);

/// Bytes of all its files, links followed.
int64_t size_of_files(const std::filesystem::path& snapshot);

/// Makes a folder and those above it. Error (kOutput).
void make_folders(const std::filesystem::path& folder);

}  // namespace t2v
