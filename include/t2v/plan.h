#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "t2v/checked_request.h"
#include "t2v/decode.h"

namespace t2v {

/// A file that a run reads.
struct PlannedFile {
  std::string component;
  std::filesystem::path path;
  int64_t bytes = 0;
};

/// What one phase of a run takes. Memory is the most that is taken at once, in bytes.
struct PlannedPhase {
  std::string name;               ///< "start", "load", "text", "images", "sampling", "decoding"
  double tflop = 0;               ///< 10^12 operations, by the plain formulas
  int64_t host_bytes = 0;         ///< of the process, and of them those of mapped files,
  int64_t mapped_bytes = 0;       ///< which the system can take back
  int64_t gpu_bytes = 0;          ///< 0 on a CPU
  std::optional<double> seconds;  ///< empty: t2v bench has not measured this device
};

/// What a request would do.
struct Plan {
  CheckedSize size;
  std::optional<CheckedSampling> sampling;  ///< empty: the clip is decoded from latents
  Machine machine;                          ///< with what is changed to fit max_vram
  std::string device;                       ///< "cpu", "cuda:0"
  std::string device_name;                  ///< "" for a GPU that is not there
  std::vector<PlannedFile> files;
  int64_t latent_channels = 0, latent_frames = 0, latent_height = 0, latent_width = 0;
  int64_t tokens = 0;
  int64_t forwards = 0;  ///< passes of the transformer
  std::vector<PlannedPhase> phases;
  int64_t host_available = 0;  ///< bytes that can be allocated now; 0 if the system does not tell
  int64_t gpu_total = 0;       ///< bytes of the GPU; 0 without one
  int64_t blocks = 0, resident_blocks = 0;  ///< of the transformer; those that stay on the GPU
  std::string waiting;                      ///< where the others wait: "cpu", "disk"; "" if all stay
  int64_t output_bytes = 0;                 ///< about; of all files of the clip
  int64_t latents_bytes = 0;  ///< of the file that keeps the latents until the clip is published
  int64_t disk_free = 0;      ///< where the clip goes; 0 if unknown
  std::vector<std::filesystem::path> outputs;  ///< the first and, of a sequence, the last
  /// What to add to the command line to fit: "--vae-tiling --dtype bfloat16"; "" if it fits as it is.
  std::string needed_flags;
  /// Why generate() would refuse it: memory; "" if it would not.
  std::string refusal;
};

/// Tells what generate() would do for a request, from headers alone: no weights are loaded. A GPU that is
/// not there is planned for if `device` names one. With max_vram, and for a GPU that is too small as asked,
/// the plan is that of the cheapest setting that fits. Error as check(); (kResource) if no setting fits
/// max_vram.
Plan plan(const GenerateRequest& request);

/// The same of what generate() is about to do here. Error for all that generate() refuses before it loads
/// weights: as check(), (kResource) for a GPU that is not there and for too little memory, (kInput) for
/// pictures, (kOutput) for an encoder that is not there.
Plan plan_run(const GenerateRequest& request);
Plan plan_run(const CheckedRequest& request);

/// Likewise of what decode() is about to do.
Plan plan_decode(const std::filesystem::path& latents, const DecodeRequest& request);

/// The part of plan_run() that reads pictures and clips. Error (kInput, kUsage) for one that cannot be read
/// or is too short.
void check_inputs(const CheckedRequest& request);

}  // namespace t2v
