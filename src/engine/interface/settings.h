#pragma once

#include <optional>
#include <string>

#include "engine/interface/decode_task.h"
#include "t2v/checked_request.h"

namespace t2v {

/// What is known of a clip only when it is made.
struct Provenance {
  std::string device;                         ///< the one that computed
  std::string device_name = {};               ///< what it is, as device_name() says
  std::string model_sha256 = {};              ///< as ModelDigest makes it; empty: not known
  std::optional<int64_t> skipped_steps = {};  ///< with a --cache-mode
};

/// The settings of a checked request as one line of JSON: what is recorded in the clip. Its keys are names of
/// flags and its values what those take, which makes the same clip again, but for "t2v" (the version),
/// "device_name", "model_sha256", "skipped_steps", "encoder" (how the frames were encoded) and "arguments".
/// Paths are absolute.
std::string settings_json(const CheckedRequest& request, const Provenance& provenance);

/// The settings of a clip that is decoded from latents: those recorded with the latents, and what the task
/// changes. `task.settings` is not used.
std::string decoded_settings_json(const std::string& recorded, const DecodeTask& task);

}  // namespace t2v
