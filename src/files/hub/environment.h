#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace t2v {

/// The cache of huggingface_hub: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME/hub,
/// XDG_CACHE_HOME/huggingface/hub, or the one in ~/.cache.
std::filesystem::path hub_cache_folder();

/// What the other variables of huggingface_hub say about downloads, with its own defaults.
struct HubEnvironment {
  std::filesystem::path cache;  ///< hub_cache_folder()
  std::string endpoint;         ///< HF_ENDPOINT, without a slash at its end
  std::string token;     ///< HF_TOKEN or the file that `hf auth login` writes; never shown; empty: none
  bool offline = false;  ///< HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE
  int64_t timeout_seconds = 0;  ///< HF_HUB_DOWNLOAD_TIMEOUT: to connect, and without a byte

  /// Error (kUsage) for a value that cannot be used.
  static HubEnvironment read();
};

}  // namespace t2v
