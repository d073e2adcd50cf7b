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
  std::string variant;               ///< "fp16" or "bf16": weights to take if the repository has them
  std::vector<std::string> include;  ///< patterns of the files to take; empty: the files of a checkpoint
  bool offline = false;              ///< do not use the network: the model has to be in the cache
};

struct PullResult {
  std::filesystem::path
      path;  ///< the snapshot's folder; for a model of a few files, the file or the folder of the files
  std::string repository;  ///< "org/repo"
  std::string commit;
  int64_t downloaded = 0;  ///< bytes
};

/// The work of pull_model().
struct PullPlan {
  struct File {
    std::string path;   ///< in the repository
    int64_t bytes = 0;  ///< size of the whole file
    int64_t here = 0;   ///< bytes in the cache; parts of an interrupted download count
  };
  std::string repository;  ///< "org/repo"
  std::string commit;
  std::filesystem::path folder;  ///< folder of the cache for the files
  std::vector<File> files = {};  ///< empty: the model in the cache is used without asking the Hub
  int64_t to_come = 0;           ///< bytes to download
  int64_t disk_free = 0;         ///< bytes; 0 if unknown
};

/// Asks the Hub for the list of files. Downloads and writes nothing. Error as pull_model() before its first
/// download.
PullPlan plan_pull(const PullRequest& request, const RunControl& control);

/// Downloads the missing files of a model into the cache. Checks every file against its hash in the Hub's
/// list; a file gets its name when it is complete. Error (kUsage, kOutput), (kNetwork) for a failed download;
/// Stopped. Downloaded parts stay, and the next pull continues them.
PullResult pull_model(const PullRequest& request, const RunControl& control);

/// A model with a short name, or a model in the cache.
struct ListedModel {
  std::string name;        ///< the short name, or "org/repo"
  std::string repository;  ///< "org/repo"; empty for a model that comes with t2v
  std::string about;
  int64_t bytes = 0;           ///< on this machine; of a model that is not here, its approximate size
  std::filesystem::path path;  ///< empty: not here
  bool whole = false;          ///< every file of its indexes is here
};

/// All models: those that come with t2v, those with a short name in the order of the manifest, then other
/// ones in the cache. Error (kInput).
std::vector<ListedModel> list_models();

/// The path of a model that comes with t2v or is in the cache. Error (kUsage) for a wrong name, (kInput) for
/// a model that is not here; its advice is `t2v pull`.
std::filesystem::path find_model(const std::string& name);

struct VerifyResult {
  std::filesystem::path path;
  int64_t files = 0, bytes = 0;         ///< with the hash in their name
  std::vector<std::string> unverified;  ///< files that are not links to blobs: their hashes are not known
};

/// Hashes every file of a model in the cache again. Error as find_model(), (kNetwork) with the names of wrong
/// files; Stopped.
VerifyResult verify_model(const std::string& name, const RunControl& control);

}  // namespace t2v
