#pragma once

#include <optional>
#include <string>

#include "t2v/generate.h"

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
std::string settings_json(const GenerateRequest& request, const Provenance& provenance);

/// The settings that were recorded with latents, where the clip that is decoded of them is otherwise as the
/// request says.
std::string decoded_settings_json(const std::string& recorded, const GenerateRequest& request);

}  // namespace t2v
