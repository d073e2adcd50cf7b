#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "t2v/run.h"

namespace t2v {

// Checkpoints on the Hugging Face Hub and in its cache on this machine. A model is named by a short name
// (models/manifests, and those that come with t2v), or as "org/repo" or "org/repo@revision". The variables of
// huggingface_hub are honoured: HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE, ...

struct PullRequest {
  std::string model;
  std::string variant;               ///< "fp16" or "bf16": take these weights where there are some
  std::vector<std::string> include;  ///< patterns of the files to take; empty: what a checkpoint needs
  bool offline = false;              ///< only look whether it is here
};

struct PullResult {
  std::filesystem::path
      path;  ///< the snapshot's folder; of a model that is some files of it, that file or their folder
  std::string repository;  ///< "org/repo"
  std::string commit;
  int64_t downloaded = 0;  ///< bytes
};

/// What pull_model() would do.
struct PullPlan {
  struct File {
    std::string path;   ///< in the repository
    int64_t bytes = 0;  ///< of the whole file
    int64_t here = 0;   ///< of them those that are in the cache, be it of an interrupted download
  };
  std::string repository;  ///< "org/repo"
  std::string commit;
  std::filesystem::path folder;  ///< of the cache, where they go
  std::vector<File> files = {};  ///< empty: what is in the cache is used, nothing is asked for
  int64_t to_come = 0;           ///< bytes to download
  int64_t disk_free = 0;         ///< bytes; 0 if unknown
};

/// Asks for the list of files alone; nothing is downloaded or written. Error as pull_model() before it
/// downloads.
PullPlan plan_pull(const PullRequest& request, const RunControl& control);

/// Downloads what is missing of a model into the cache: every file is checked against the hash in the Hub's
/// list, and has its name only when it is whole. Error (kUsage, kOutput), (kNetwork) if it cannot be had,
/// Stopped: what came so far stays, and the next pull continues.
PullResult pull_model(const PullRequest& request, const RunControl& control);

/// A model that t2v knows by a short name, or one that is in the cache.
struct ListedModel {
  std::string name;        ///< the short name, or "org/repo"
  std::string repository;  ///< "org/repo"; empty: it comes with t2v
  std::string about;
  int64_t bytes = 0;           ///< on this machine; of one that is not here, about what it takes
  std::filesystem::path path;  ///< empty: not here
  bool whole = false;          ///< every file that its indexes name is here
};

/// The models that come with t2v, the known ones in the order of the manifest, then those that only the cache
/// has. Error (kInput).
std::vector<ListedModel> list_models();

/// Where a model is: in the cache, if it does not come with t2v. Error (kUsage) for what is no name, (kInput)
/// if it is not here; names `t2v pull`.
std::filesystem::path find_model(const std::string& name);

struct VerifyResult {
  std::filesystem::path path;
  int64_t files = 0, bytes = 0;  ///< that have the hash of their name
  std::vector<std::string>
      unverified;  ///< files that are no links to blobs: nothing says what they should be
};

/// Hashes every file of a model in the cache again. Error as find_model, (kNetwork) naming those that are not
/// what they have to be; Stopped.
VerifyResult verify_model(const std::string& name, const RunControl& control);

}  // namespace t2v
