#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace t2v {

/// A file of a repository as the Hub lists it.
struct RemoteFile {
  std::string path;  ///< safe to make below a folder
  int64_t size = 0;
  std::string hash;  ///< sha256 of a large file, git's id of a small one: the name of its blob
};

/// A repository at a commit.
struct Listing {
  std::string commit;
  std::vector<RemoteFile> files;
};

/// Reads the answer of GET /api/models/ID/revision/REVISION?blobs=true. Error (kNetwork) for anything else,
/// a file name that would leave the folder, or a hash that is none; `origin` is what errors call it.
Listing parse_listing(const std::string& text, const std::string& origin);

/// The files of it that a checkpoint consists of. `patterns` (as of a shell, * also matching "/") name them;
/// without any, those of a diffusers or original repository: weights in one number format, configurations,
/// tokenizers. `variant`: take weights called NAME.VARIANT.safetensors where there are some. Error (kUsage)
/// if nothing is left, or if the repository is a collection out of which patterns have to choose.
std::vector<RemoteFile> choose_files(const Listing& listing, const std::vector<std::string>& patterns,
                                     const std::string& variant, const std::string& origin);

}  // namespace t2v
