#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/pipelines/latents.h"
#include "t2v/request.h"

namespace t2v {

/// The final latents, on the disk from the end of sampling until the clip is published: in the file that
/// --save-latents names, which stays, or in one beside the clip, which may be there from a run of the same
/// clip that was killed. Nothing is kept beside a stream.
class KeptLatents {
 public:
  /// Error (kOutput, kUsage) as write_safetensors().
  KeptLatents(const Outputs& outputs, const Latents& latents, const std::string& settings);

  void remove();
  /// Tells where the sampled latents are, for a clip that failed after them, and how to make the clip.
  void tell() const;

 private:
  bool temporary_;
  std::filesystem::path file_, output_;
};

/// Error (kOutput) if the disk has no room for latents of so many bytes: told before the work.
void expect_room(const Outputs& outputs, int64_t latents_bytes);

/// The latents in such a file. Error (kInput), (kNumbers) for NaN in it.
Latents read_latents(const std::filesystem::path& file);

}  // namespace t2v
