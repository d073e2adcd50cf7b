#pragma once

#include <filesystem>

#include "core/config.h"

namespace t2v {

/// The JSON of a checkpoint in the diffusers layout: enough to check a request, without LibTorch and without
/// weights.
struct ModelFolder {
  std::filesystem::path path;
  Config scheduler;
  Config transformer;
  Config vae;

  /// Reads model_index.json and the configs. Error (kInput) if something is missing, or the pipeline is not
  /// one that t2v renders (text-to-video WanPipeline with one transformer).
  static ModelFolder open(const std::filesystem::path& folder);

  int64_t spatial_multiple() const;   ///< height and width are multiples of this many pixels
  int64_t temporal_multiple() const;  ///< a clip has k * this + 1 frames
};

/// The folder of files that come with t2v: models/ and configs/ are in it.
std::filesystem::path data_folder();
/// The folder of the model that comes with t2v.
std::filesystem::path bundled_model();

}  // namespace t2v
