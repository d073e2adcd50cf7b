#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/pipelines/latents.h"
#include "t2v/request.h"

namespace t2v {

/// The final latents in a file, from the end of sampling until the clip is published. The file is
/// Outputs::save_latents, which stays, or a temporary one beside the clip, which a killed run of the same
/// clip may have left. Without either, for a stream or without an output, nothing is written.
class KeptLatents {
 public:
  /// Error (kOutput, kUsage) as write_safetensors().
  KeptLatents(const Outputs& outputs, const Latents& latents, const std::string& settings);

  void remove();
  /// Logs where the latents of a failed clip are, and how to decode them.
  void tell() const;

 private:
  bool temporary_;
  std::filesystem::path file_, output_;
};

/// Error (kOutput), before the work, if the disk has no room for latents of this size.
void expect_room(const Outputs& outputs, int64_t latents_bytes);

/// Reads the latents in a file of KeptLatents, and no other tensor in it. Error (kInput), (kNumbers) for NaN
/// in it.
Latents read_latents(const std::filesystem::path& file);

}  // namespace t2v
