#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include "core/setting.h"
#include "engine/interface/decode_task.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/checked_request.h"
#include "t2v/decode.h"
#include "t2v/error.h"
#include "t2v/request.h"

namespace t2v {

/// Decides the size and length of a clip: what `asked` leaves empty comes from the preset. Error (kUsage) for
/// a clip that the model cannot make.
CheckedSize check_size(const ClipSize& asked, const Config& preset, const Checkpoint& checkpoint);

/// Decides how latents are sampled: what `asked` leaves empty comes from the preset, the sampler and its
/// shift after that from the checkpoint's scheduler_config.json, the seed from chance. Error (kUsage) for a
/// value out of range or a sampler that is not known.
CheckedSampling check_sampling(const Sampling& asked, const Config& preset, const Checkpoint& checkpoint);

/// The caching of so many steps, with the options that the preset has for the mode. Error (kUsage) for
/// options that are not the mode's.
StepCaching check_caching(const StepCaching& asked, const Config& preset, int64_t num_inference_steps);

/// Error (kUsage) for images and control that the checkpoint has no use for, or that it needs and the request
/// lacks; (kInput) for files that are not there.
void check_conditions(const Conditions& conditions, int64_t num_frames, const Checkpoint& checkpoint);

/// Error (kUsage) for settings of a second expert that the checkpoint does not have, or without the boundary
/// that it needs.
void check_experts(const CheckedSampling& sampling, const Checkpoint& checkpoint);

/// Opens the LoRA files and logs how many of the keys of each apply; ignored keys are a warning. Error
/// (kInput) for a damaged file or one of another model, (kUsage) for a file for an expert that the model
/// lacks.
void check_loras(const ModelChoice& choice, const Checkpoint& checkpoint);

/// Error (kUsage, kOutput) for files that cannot be written, that exist and may not be replaced, or that are
/// in each other's way. `writable_folders`: the folders that are known to take files; grows.
void check_outputs(const Outputs& outputs, const Encoding& encoding, const CheckedSize& size,
                   std::set<std::filesystem::path>& writable_folders);

/// Checks a request to decode without loading weights. Error as decode().
DecodeTask check_decode(const std::filesystem::path& latents, const DecodeRequest& request);

[[noreturn]] inline void usage_error(const std::string& doing, const std::string& got,
                                     const std::string& expected, const std::string& advice = "") {
  throw Error(ErrorCode::kUsage, {.doing = doing, .got = got, .expected = expected, .advice = advice});
}

/// Error unless the value of the setting `name` is in one of the ranges of limits.h. NaN is in none.
template <typename Value, typename Range>
void check_range(const std::string& name, Value value, const Range& range) {
  if (value >= range.smallest && value <= range.largest) return;
  usage_error(setting(name), std::to_string(value),
              "a number from " + std::to_string(range.smallest) + " to " + std::to_string(range.largest));
}

}  // namespace t2v
