#pragma once

#include <optional>
#include <string>

#include "engine/interface/decode_task.h"
#include "t2v/checked_request.h"

namespace t2v {

/// Facts about a clip that are known when it is made.
struct Provenance {
  std::string device;                         ///< the device that computed: "cpu", "cuda:0"
  std::string device_name = {};               ///< "NVIDIA H200"
  std::string model_sha256 = {};              ///< of ModelDigest; empty: not known
  std::optional<int64_t> skipped_steps = {};  ///< number of steps; empty without step caching
};

/// The settings of a clip as one line of JSON, recorded in the clip. Keys and values are flags and their
/// values, which make the same clip again. Exceptions: "t2v" (the version), "device_name", "model_sha256",
/// "skipped_steps", "encoder" (codec and pixel format in libav's words) and "arguments". Paths are absolute.
std::string settings_json(const CheckedRequest& request, const Provenance& provenance);

/// The settings of a clip that is decoded from latents: the recorded settings of the latents, with the
/// changes of the task. `task.settings` is not used.
std::string decoded_settings_json(const std::string& recorded, const DecodeTask& task);

}  // namespace t2v
