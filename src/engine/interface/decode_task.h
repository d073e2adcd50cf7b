#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "t2v/checked_request.h"

namespace t2v {

/// A clip to decode from latents, checked. Sampling has no part in it.
struct DecodeTask {
  std::filesystem::path latents;
  ModelChoice model = {};        ///< with the paths of the files; only the VAE is loaded
  CheckedSize size = {};         ///< the size and length that the latents have
  int64_t reference_images = 0;  ///< latent frames of reference images before the clip's
  Machine machine = {};
  Encoding encoding = {};
  Outputs outputs = {};
  std::string settings = {};  ///< JSON, recorded in the clip
};

/// The task as a request without prompt and sampling, for the planner and the pipelines.
inline CheckedRequest request_of(const DecodeTask& task) {
  CheckedRequest request{.model = task.model,
                         .size = task.size,
                         .machine = task.machine,
                         .encoding = task.encoding,
                         .outputs = task.outputs};
  request.conditions.reference_images.resize(static_cast<size_t>(task.reference_images));
  return request;
}

}  // namespace t2v
