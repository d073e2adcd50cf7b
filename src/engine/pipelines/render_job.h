#pragma once

#include <cstdint>
#include <functional>

#include "engine/pipelines/model_store.h"
#include "engine/pipelines/visual_inputs.h"
#include "files/checkpoints/checkpoint.h"
#include "media/images/frames.h"
#include "t2v/checked_request.h"
#include "tensors/tensor.h"

namespace t2v {

/// A clip to render, and the files and pictures that it is made of.
struct RenderJob {
  Checkpoint checkpoint;
  Placement placement;  ///< of text encoder and transformers; other components compute in float32
  CheckedRequest request;
  VisualInputs inputs;  ///< the pictures and videos that the request names
  ComingClips coming = {};
  /// Called at the end of each step. `make` computes preview_frames() of the clip as this step predicts it.
  /// May be empty.
  std::function<void(int64_t done, int64_t total, const std::function<Frames()>& make)> on_preview = {};
};

}  // namespace t2v
