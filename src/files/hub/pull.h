#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "files/hub/cache.h"
#include "files/hub/environment.h"
#include "files/hub/manifest.h"
#include "t2v/run.h"

namespace t2v {

/// Choice of a repository's files.
struct FileChoice {
  std::string variant = "";               ///< "fp16" or "bf16": these weights where there are some
  std::vector<std::string> include = {};  ///< patterns of the files; empty: the files of the model
  bool offline = false;                   ///< only look whether they are in the cache
};

/// A model in the cache.
struct CachedModel {
  std::filesystem::path path;  ///< as find_in_cache()
  std::string commit;
  int64_t downloaded = 0;  ///< bytes that pull() downloaded
};

/// A file of a repository, and the bytes of it that are in the cache.
struct PlannedFile {
  std::string path;        ///< in the repository
  int64_t bytes = 0;       ///< of the whole file
  int64_t downloaded = 0;  ///< in the cache, of an interrupted download too
};

/// The files that pull() takes.
struct DownloadPlan {
  std::string commit;
  std::filesystem::path folder;         ///< of the cache, where they go
  std::vector<PlannedFile> files = {};  ///< empty: the cache is used, nothing is asked for
  int64_t to_come = 0;                  ///< bytes to download
  int64_t disk_free = 0;                ///< bytes; 0 if unknown
};

/// Where a model of the cache is: its snapshot; of a model that is some files of a repository, the file or
/// the folder of the first. Nothing if it is not here.
std::optional<std::filesystem::path> find_in_cache(const HubCache& cache, const KnownModel& model);

/// Asks for the list of files alone. Error as pull() before it downloads.
DownloadPlan plan_pull(const HubEnvironment& environment, const KnownModel& model, const FileChoice& choice,
                       const RunControl& control);

/// Downloads the files that are missing in the cache. Error (kUsage, kOutput), (kNetwork) if they cannot be
/// had; Stopped: the bytes that came so far stay, and the next pull continues.
CachedModel pull(const HubEnvironment& environment, const KnownModel& model, const FileChoice& choice,
                 const RunControl& control);

/// Files that were read again.
struct VerifiedFiles {
  int64_t files = 0, bytes = 0;         ///< that have the hash of their name
  std::vector<std::string> unverified;  ///< files that are no links to blobs: nothing tells their hash
};

/// Hashes every file of the snapshot, or the one file of a snapshot, at `path`; `name` is how errors call it.
/// Error (kNetwork) that names the files with another hash; Stopped.
VerifiedFiles verify(const std::string& name, const std::filesystem::path& path, const RunControl& control);

}  // namespace t2v
