#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
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

/// Work, memory and time of one phase of a run. Memory is the peak, in bytes.
struct PlannedPhase {
  std::string name;               ///< "start", "load", "text", "images", "sampling", "decoding"
  double tflop = 0;               ///< 10^12 floating-point operations
  int64_t host_bytes = 0;         ///< memory of the process, mapped files included
  int64_t mapped_bytes = 0;       ///< mapped files, whose memory the system can take back
  int64_t gpu_bytes = 0;          ///< 0 on a CPU
  std::optional<double> seconds;  ///< empty: t2v bench has not measured this device
};

/// Sizes of a clip's latents.
struct PlannedLatents {
  int64_t channels = 0, frames = 0, height = 0, width = 0;
  int64_t tokens = 0;  ///< of the transformer; 0 if nothing is sampled
};

/// Memory of the machine, in bytes; 0 if unknown.
struct AvailableMemory {
  int64_t host = 0;  ///< can be allocated now
  int64_t gpu = 0;   ///< memory of the GPU; 0 without one
};

/// Place of the transformer's blocks during its work on a GPU.
struct PlannedBlocks {
  int64_t count = 0, resident = 0;  ///< blocks in all; blocks that stay on the GPU
  std::string waiting = {};         ///< place of the others: "cpu", "disk"; "" if all stay
};

/// Space on the disk that the clip is written to, in bytes.
struct PlannedDisk {
  int64_t output = 0;   ///< size of all files of the clip, roughly
  int64_t latents = 0;  ///< size of the file that keeps the latents until the clip is published
  int64_t free = 0;     ///< 0 if unknown
};

/// The work, memory, time and files of a clip.
struct Plan {
  CheckedSize size;
  std::optional<CheckedSampling> sampling;  ///< empty: the clip is decoded from latents
  Machine machine;                          ///< as asked, or with the changes of needed_settings
  std::string device;                       ///< "cpu", "cuda:0"
  std::string device_name;                  ///< "" for a GPU that is not there
  std::vector<PlannedFile> files;
  PlannedLatents latents;
  int64_t forwards = 0;  ///< forward passes of the transformer
  std::vector<PlannedPhase> phases;
  AvailableMemory available;
  PlannedBlocks blocks;
  PlannedDisk disk;
  std::vector<std::filesystem::path>
      outputs;  ///< the clip; of a sequence, its first and last file; empty without an output
  /// Settings to change so that the clip fits, with their values: {"vae_tiling", "true"}, {"dtype",
  /// "bfloat16"}; empty if it fits as asked.
  std::vector<std::pair<std::string, std::string>> needed_settings;
  std::string refusal;  ///< reason why generate() would refuse the clip for its memory; "" if it would not
};

/// Plans a clip from the headers of files, without loading weights. The GPU that `device` names need not be
/// there. With max_vram, or for a GPU that is too small, the plan has the cheapest settings that fit. Error
/// as check(); (kResource) if no settings fit max_vram.
Plan plan(const GenerateRequest& request);

/// The plan of a clip that generate() would make now. Error for everything that generate() refuses before it
/// loads weights: as check(), (kResource) for a GPU that is not there and for too little memory, (kInput) for
/// pictures, (kOutput) for an encoder that is not there.
Plan plan_run(const GenerateRequest& request);
/// The same for a request that check() returned. Only the outputs are checked again.
Plan plan_run(const CheckedRequest& request);

/// The plan of a clip that decode() would make now. Error as plan_run().
Plan plan_decode(const std::filesystem::path& latents, const DecodeRequest& request);

/// The part of plan_run() that reads pictures and clips. Error (kInput, kUsage) for a file that cannot be
/// read or is too short.
void check_inputs(const CheckedRequest& request);

}  // namespace t2v
