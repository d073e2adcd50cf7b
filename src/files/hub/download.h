#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "files/hub/http.h"
#include "files/hub/retry.h"

namespace t2v {

/// A file to download and what it has to be.
struct Download {
  std::string url;
  std::filesystem::path blob;  ///< gets this name when it is whole; until then the same with ".incomplete"
  std::filesystem::path lock_file;  ///< held while anybody downloads it
  int64_t size = 0;
  std::string hash;  ///< sha256, or git's id of a blob
};

/// Brings a file here, however often the connection breaks: what is in ".incomplete" is hashed and continued
/// from. Nothing is done if another process finished it meanwhile. `on_bytes` gets the bytes of it that are
/// here, which may go back to 0. Error (kNetwork) if it cannot be had or is not what it has to be, (kOutput)
/// if it cannot be written; Stopped. After both the partial file stays.
void download(HttpClient& client, const Download& wanted, const RetryOptions& retries,
              const std::function<void(int64_t here)>& on_bytes);

}  // namespace t2v
